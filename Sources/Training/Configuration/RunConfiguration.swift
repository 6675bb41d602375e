import Corpora
import Files
import Numerics

/// Everything a training run can be told, in the sections of its TOML file. The values given here are the defaults;
/// `ConfigurationKey.all` says what each key means, which values it takes, and how it is read and written.
package struct RunConfiguration: Sendable {
    package var model = ModelSection()
    package var data = DataSection()
    package var training = TrainingSection()
    package var optimizer = OptimizerSection()
    package var pipeline = PipelineSection()
    package var machine = MachineSection()
    package var checkpoint = CheckpointSection()
    package var run = RunSection()

    /// Where each key that is not at its default was set, by qualified name; for messages only.
    package var origins: [String: ConfigurationOrigin] = [:]
    /// The file it was read from, if any.
    package var file: String?
    /// What is odd about how it was given, though it can be used.
    var remarks: [String] = []
    /// The number of ranks that a launcher started, once it is known.
    var world: Int?

    package init() {}
}

extension RunConfiguration {
    /// `[model]`: the architecture.
    package struct ModelSection: Sendable {
        package var layers = 4
        package var dim = 192
        package var zDim = 96
        package var valueDim = 384
        package var ffnDim = 384
        package var heads = 4
        package var ropeHeads = -1
        package var emaDim = 16
        package var chunk = 128
        package var precision = Precision.f32
        package var normGroups = 0
        package var vocabulary = 0
        package var beta1 = 0.999
        package var beta2 = 0.9999
        package var lnGroups = 1
        package var eps = 1e-5
        package var ropeBase = 500_000.0
        package var normAffine = true
        package var swiglu = true
        package var twoHopResidual = false
        package var rescaleNFFN = false
        package var scaleEmbeddings = false
        package var tieEmbeddings = false
        package var dropout = 0.0
        package var hiddenDropout = 0.0
        package var attentionDropout = 0.0
    }

    /// `[data]`: the corpus and how it is cut.
    package struct DataSection: Sendable {
        package var path: CorpusPaths = ""
        package var heldOut = 0.05
        package var sequence = 1024
        package var packed = false
        package var separator = ""
        package var streams = false
    }

    /// `[training]`: how long, how much at once, and what is reported.
    package struct TrainingSection: Sendable {
        package var steps = 200
        package var batch = 4
        package var seed = 1
        package var evaluateEvery = 0
        package var evaluateSequences = 16
        package var logEvery = 1
        package var samplePrompt = "In the beginning "
        package var sampleTokens = 200
        package var sampleTemperature = 0.8
        package var maxNonfinite = 5
    }

    /// `[optimizer]`: AdamW and its learning rate.
    package struct OptimizerSection: Sendable {
        package var learningRate = 2e-3
        package var minimumRatio = 0.1
        package var schedule = LearningRate.Shape.cosine
        package var warmup = 20
        package var decayFraction = 0.2
        package var beta1 = 0.9
        package var beta2 = 0.95
        package var eps = 1e-8
        package var weightDecay = 0.1
        package var clip = 1.0
    }

    /// `[pipeline]`: how the work is laid over ranks.
    package struct PipelineSection: Sendable {
        package var stages = 0
        package var replicas = 1
        package var shardOptimizer = false
        package var schedule = "1f1b"
        package var virtual = 0
        package var cap = ""
        package var costs = ""
        package var slice = 0
        package var recompute = false
        package var stash = StashPlace.memory
        package var stashDirectory = ""
        package var compressMessages = false
        package var layers = LayerSplit.balanced
    }

    /// `[machine]`: what a rank uses of its node.
    package struct MachineSection: Sendable {
        package var threads = 0
        package var matrices = MatrixChoice.auto
        package var patience = 300.0
    }

    /// `[checkpoint]`: what is saved on the way.
    package struct CheckpointSection: Sendable {
        package var every = 50
        package var keep = 3
        package var keepEvery = 0
        package var directory = "{run}/checkpoints"
        package var localEvery = 0
        package var localDirectory = ""
    }

    /// `[run]`: where the results go.
    package struct RunSection: Sendable {
        package var directory = "runs/{name}"
        package var overwrite = false
        package var traceSteps = 2
    }
}

extension RunConfiguration {
    /// The folder of the run, once `run.directory` is resolved.
    package var runPath: String {
        get { PathText.fill(run.directory) }
        set { run.directory = PathText.literal(newValue) }
    }
}

extension RunConfiguration: Equatable {
    /// Equal values; where they were set does not matter.
    package static func == (a: Self, b: Self) -> Bool {
        ConfigurationKey.all.allSatisfy { $0.value(in: a) == $0.value(in: b) }
    }
}
