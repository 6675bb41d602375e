import Corpora
import Files
import Model
import Numerics

/// Everything a training run can be told, in the sections of its TOML file. The values given here are the defaults;
/// `keys` says what each key means, which values it takes, and how it is read and written.
package struct RunConfiguration: Sendable {
    /// `[model]`: an architecture with its keys' values.
    package var model: any Architecture
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
    /// Those that `model.architecture` may name.
    package let architectures: Architectures
    /// Every key, those of the architecture among them.
    package private(set) var keys: ConfigurationKeys

    package init(architectures: Architectures = .known) {
        self.architectures = architectures
        model = architectures.standard.init()
        keys = ConfigurationKeys(architectures.standard, among: architectures)
    }

    /// Takes on another architecture, with its keys at their defaults; the same again changes nothing.
    package mutating func choose(_ architecture: any Architecture.Type) {
        guard architecture.name != type(of: model).name else { return }
        model = architecture.init()
        keys = ConfigurationKeys(architecture, among: architectures)
    }

    /// A configuration of the same architecture with everything else at its default.
    var defaults: RunConfiguration {
        var defaults = RunConfiguration(architectures: architectures)
        defaults.choose(type(of: model))
        return defaults
    }
}

extension RunConfiguration {
    /// `[data]`: the corpus and how it is cut.
    package struct DataSection: Sendable {
        package var path: CorpusPaths = ""
        package var heldOut = 0.05
        package var sequence = 1024
        package var packed = false
        package var separator = ""
        package var streams = false
        package var streamContext = 0
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
        package var slices = SliceSplit.equal
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
        type(of: a.model).name == type(of: b.model).name
            && a.keys.all.allSatisfy { $0.value(in: a) == $0.value(in: b) }
    }
}
