using Attune.Cli;

return CommandLine.Run(args, Terminal.OfProcess());
