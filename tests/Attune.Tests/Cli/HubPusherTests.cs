using Attune.Checkpoints;
using Attune.Cli;
using Attune.Hub;
using Attune.Tests.Datasets;
using Attune.Tests.Hub;
using Attune.Training;

namespace Attune.Tests.Cli;

public sealed class HubPusherTests : HubFixture
{
    private static readonly string[] OfModel = ["config.json", "model.safetensors"];
    private static readonly string[] OfRun = ["attune_state.json", "manifest.json", "optimizer.safetensors", "trainer_state.json"];

    private static readonly string[] Adapter = ["adapter_config.json", "adapter_model.safetensors"];

    private readonly TemporaryFolder _run = new();
    private readonly RecordingTerminal _terminal = new();

    private HubSettings WithToken => Settings with { Token = Server.Token, TokenSource = "HF_TOKEN" };

    [Theory]
    [InlineData(HubStrategy.EverySave)]
    [InlineData(HubStrategy.Checkpoint, "last-checkpoint/")]
    [InlineData(HubStrategy.AllCheckpoints, "checkpoint-2/", "checkpoint-4/")]
    public void Save_EachStrategy_PushesWhatItSays(HubStrategy strategy, params string[] folders)
    {
        using (var pusher = Pusher(new TrainHubArguments { HubStrategy = strategy }))
            foreach (var step in new[] { 2, 4 })
            {
                Save(pusher, step);
                pusher.Finish();
            }
        var there = Server.Repositories["models/someone/run"].Files().Keys.Order(StringComparer.Ordinal);
        Assert.Equal([.. OfModel.Concat(folders.SelectMany(folder => OfModel.Concat(OfRun).Select(file => folder + file))).Order(StringComparer.Ordinal)], there);
        Assert.Equal("weights of 4"u8.ToArray(), Server.Repositories["models/someone/run"].Files()["model.safetensors"]);
        Assert.Equal(["Training in progress, step 2", "Training in progress, step 4"], Server.Uploads.Messages);
        Assert.Empty(Directory.EnumerateDirectories(_run.Path, ".push-*"));
    }

    [Fact]
    public void Pusher_StrategyEndOrNoPush_IsNone()
    {
        Assert.Null(new TrainHubArguments { PushToHub = true, HubStrategy = HubStrategy.End }.Pusher(_terminal.Terminal));
        Assert.Null(new TrainHubArguments().Pusher(_terminal.Terminal));
    }

    [Theory, InlineData(false, 1), InlineData(true, 2)]
    public void Save_WhileAnotherIsPushed_IsLeftOutUnlessAsked(bool always, int pushes)
    {
        using var go = new ManualResetEventSlim();
        Server.Instead = call => { go.Wait(TestContext.Current.CancellationToken); return null; };
        using var pusher = Pusher(new TrainHubArguments { HubAlwaysPush = always });
        Save(pusher, 2);
        Save(pusher, 4);
        Directory.Delete(CheckpointFiles.Folder(_run.Path, 2), recursive: true);            // as save_total_limit does
        go.Set();
        pusher.Finish();
        Assert.Equal(pushes, Server.Uploads.Messages.Count);
        Assert.Equal("", _terminal.Error);
    }

    [Fact]
    public void Save_TokenAndRevision_AreThoseGiven()
    {
        var hub = new TrainHubArguments { HubToken = " hf_own ", HubRevision = "trial" };
        Assert.Equal(("hf_own", "hub_token"), (hub.Settings.Token, hub.Settings.TokenSource));
        using (var pusher = Pusher(hub))
        {
            Save(pusher, 2);
            pusher.Finish();
        }
        Assert.Contains("trial", Server.Repositories["models/someone/run"].Branches.Keys);
    }

    /// <summary>An adapter at the root would be taken for the model also when the merged weights lie there.</summary>
    [Fact]
    public void Save_AdapterThatWillBeMerged_IsPushedIntoAFolderOfItsOwn()
    {
        using (var pusher = Pusher(new TrainHubArguments { HubStrategy = HubStrategy.Checkpoint }))
        {
            foreach (var file in Adapter.Append("config.json")) _run.Write($"checkpoint-2/{file}", file);
            pusher.OnSave(new TrainingArguments { OutputDir = _run.Path, MergeAdapter = true }, new TrainerState { GlobalStep = 2 }, new TrainerControl());
            pusher.Finish();
        }
        string[] expected = [.. Adapter.Select(file => "adapter/" + file), "config.json", .. Adapter.Append("config.json").Select(file => "last-checkpoint/" + file)];
        Assert.Equal(expected, Server.Repositories["models/someone/run"].Files().Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Save_HubRefuses_IsToldAndTrainingGoesOn()
    {
        Server.Token = "hf_other";
        using (var pusher = Pusher(new TrainHubArguments(), Settings with { Token = "hf_wrong", TokenSource = "HF_TOKEN" }))
        {
            Save(pusher, 2);
            pusher.Finish();
        }
        Assert.StartsWith("The checkpoint of update 2 was not pushed, and training goes on: ", Assert.Single(_terminal.Told), StringComparison.Ordinal);
        Assert.DoesNotContain("hf_wrong", _terminal.Error, StringComparison.Ordinal);
    }

    private HubPusher Pusher(TrainHubArguments hub, HubSettings? settings = null) =>
        new(hub with { PushToHub = true, HubModelId = "someone/run" }, settings ?? WithToken, _terminal.Terminal);

    private void Save(HubPusher pusher, int step)
    {
        foreach (var file in OfModel.Concat(OfRun)) _run.Write($"checkpoint-{step}/{file}", file == "model.safetensors" ? $"weights of {step}" : $"{file} of {step}");
        pusher.OnSave(new TrainingArguments { OutputDir = _run.Path }, new TrainerState { GlobalStep = step }, new TrainerControl());
    }
}
