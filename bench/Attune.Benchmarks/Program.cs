using Attune.Benchmarks;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

// check --list | check NAME: a figure of this machine against its target. Anything else goes to BenchmarkDotNet (try --list flat).
if (args is ["check", .. var names]) return Check.Execute(names);
// results [NAME ...]: runs the checks one after the other, stores what they give in bench/results and makes the README's table from it.
if (args is ["results", .. var wanted]) return Results.Record(wanted);
// One side of a comparison, in a process of its own, driven by its check.
if (args is ["side", var side, .. var rest]) return Side.Serve(side, rest);
// One process of the check dataset-load.
if (args is ["load", var file, var cache]) return DatasetLoadCheck.Serve(file, cache);
// One process of the check inspect.
if (args is ["inspect-rows", var what, var rows, var model]) return InspectCheck.Serve(what, rows, model);
// The rows that bench/gpu.sh measures other programs on.
if (args is ["gpu-rows", var rowsFile]) return GpuRows.Write(rowsFile);
// The clients of the check serve.
if (args is ["serve-load", var port]) return ServeLoad.Serve(int.Parse(port, System.Globalization.CultureInfo.InvariantCulture));
BenchmarkSwitcher.FromAssembly(typeof(Check).Assembly)
    .Run(args, DefaultConfig.Instance.AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance)));
return 0;
