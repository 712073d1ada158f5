using Attune.Inference;
using Attune.Models;

namespace Attune.ML;

/// <summary>Where the transformers of one estimator have their classifier from: they share one, which is closed with the last of them.</summary>
internal sealed class ClassifierSource
{
    private readonly Lock _lock = new();
    private readonly Func<Classifier>? _load;
    private Classifier? _classifier;
    private int _users;

    /// <summary>A classifier of somebody else, who closes it.</summary>
    internal ClassifierSource(Classifier classifier) => (_classifier, ProblemType) = (classifier, classifier.ProblemType);

    /// <summary>Loads one now, so that what is wrong is said at once; and again where it is wanted after all transformers have been closed.</summary>
    /// <exception cref="AttuneException">It cannot be loaded.</exception>
    internal ClassifierSource(Func<Classifier> load)
    {
        (_load, _classifier) = (load, load());
        ProblemType = _classifier.ProblemType;
    }

    /// <summary>What the model's numbers are.</summary>
    internal ProblemType ProblemType { get; }

    /// <summary>The classifier, for one more transformer.</summary>
    /// <exception cref="AttuneException">It cannot be loaded any more.</exception>
    internal Classifier Take()
    {
        lock (_lock)
        {
            _classifier ??= _load!();
            _users++;
            return _classifier;
        }
    }

    /// <summary>A transformer needs it no longer.</summary>
    internal void GiveBack()
    {
        lock (_lock)
        {
            if (--_users > 0 || _load is null) return;
            _classifier!.Dispose();
            _classifier = null;
        }
    }
}
