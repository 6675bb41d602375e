import Model
import Numerics
import Schedules

/// Everything that all ranks know of a run before it starts: the table, its messages and slots, who computes what.
package struct PipelinePlan: Sendable {
    package let model: any Architecture
    package let table: ScheduleTable
    package let messages: Messages
    package let slots: Slots
    package let partition: LayerPartition
    /// How a sequence is cut.
    package let cut: SliceCut
    /// Tokens of the longest slice and of a sequence.
    package var slice: Int { cut.longest }
    package var sequence: Int { cut.sequence }
    package let replicas: Int
    /// The carried state goes on from step to step (detached) instead of starting anew.
    package let streams: Bool
    /// Tokens before a sequence that blocks with a prefix still see, with streams.
    package let streamContext: Int
    /// The folder of the disk that the stash is spooled to; nil when it is all in memory.
    package let stashDirectory: String?
    /// How activations and their gradients travel between ranks.
    package var wire = WireFormat.float32
    /// What matrix products are computed by.
    package var matrices = MatrixEngine.tiles
    /// How the gradients' way between replicas is cut.
    package var sync = SyncSizes()
    /// By stage and tensor, in the stage's order, the replica that updates the tensor; nil when every replica updates
    /// all.
    package let owners: [[Int]]?
    /// What is to be known of each stage's blocks.
    private let descriptions: [[BlockDescription]]
    /// By stage, which of its tensors are no copies of another stage's.
    private let originals: [[Int]]
    /// Tensors of which there is a copy.
    let ties: [Tie]
    /// What of a stream's state isn't floating point.
    package let cursor: CursorForm

    /// A tensor and its copy, each with its stage.
    struct Tie: Sendable {
        let original, copy: (name: String, stage: Int)
    }

    /// Validates the table. `table.shape.ranks` is the pipeline's length within one replica.
    ///
    /// - Parameters:
    ///   - cut: into the table's slices
    ///   - streamContext: tokens before a sequence that blocks which keep every token still see, with streams
    ///   - shardsOptimizer: the replicas share the tensors out among them: each keeps the moments of its own, and
    ///     updates those
    package init(
        model: any Architecture, table: ScheduleTable, partition: LayerPartition, cut: SliceCut, replicas: Int,
        streams: Bool, streamContext: Int = 0, stashDirectory: String? = nil, shardsOptimizer: Bool = false
    ) throws {
        precondition(partition.stages == table.shape.stages, "the partition must have the table's stages")
        precondition(cut.count == table.shape.slices, "the cut must have the table's slices")
        try table.validate()
        self.model = model
        self.table = table
        messages = Messages(table)
        slots = Slots(table, limit: stashDirectory == nil ? nil : Slots.resident)
        self.stashDirectory = stashDirectory
        self.partition = partition
        self.cut = cut
        self.replicas = replicas
        self.streams = streams
        self.streamContext = streamContext
        cursor = model.cursor
        descriptions = (0..<partition.stages).map { stage in
            model.parts(layers: partition.layers(of: stage)).map(model.describe)
        }
        try Self.check(streams: streams, context: streamContext, descriptions)
        let specs = descriptions.map { $0.flatMap(\.parameters) }
        let ties = Self.ties(specs)
        self.ties = ties
        owners =
            shardsOptimizer && replicas > 1
            ? specs.map { TensorOwners.of($0, among: replicas, tied: Set(ties.map(\.original.name))) } : nil
        originals = specs.map { specs in specs.indices.filter { specs[$0].copyOf == nil } }
    }

    private static func check(streams: Bool, context: Int, _ descriptions: [[BlockDescription]]) throws {
        let keeps = descriptions.joined().first { $0.sizes(for: SliceShape(length: 1)).prefix > 0 }
        if let keeps, streams, context == 0 {
            throw PipelineError(
                "\(keeps.name) keeps every token of a sequence, so a stream that goes on from step to step would have "
                    + "no end of memory: set data.stream_context to the tokens before a sequence that it still sees, "
                    + "or data.streams to false")
        }
        if context > 0, !streams || keeps == nil {
            throw PipelineError(
                "data.stream_context = \(context) says how many tokens before a sequence are still seen by layers that "
                    + "keep every token, "
                    + (streams
                        ? "but no layer of this model does: what it carries has a fixed size. Set it to 0"
                        : "but data.streams is false: each sequence begins anew. Set it to 0, or data.streams to true"))
        }
    }

    private static func ties(_ specs: [[ParameterSpec]]) -> [Tie] {
        specs.enumerated().flatMap { stage, own in
            own.compactMap { spec -> Tie? in
                guard let name = spec.copyOf else { return nil }
                guard let home = specs.firstIndex(where: { $0.contains { $0.name == name } }) else {
                    preconditionFailure("\(spec.name) is a copy of \(name), which no part of the model has")
                }
                return Tie(original: (name, home), copy: (spec.name, stage))
            }
        }
    }

    /// Ranks of one replica.
    package var ranks: Int { table.shape.ranks }
    package var world: Int { ranks * replicas }
    /// Sequences of one replica.
    package var sequences: Int { table.shape.sequences }
    package var slices: Int { table.shape.slices }
    package var lastStage: Int { table.shape.stages - 1 }

    /// World rank = replica * ranks + pipeline rank: a replica's stages are neighbours.
    package func worldRank(replica: Int, rank: Int) -> Int { replica * ranks + rank }

    /// What is to be known of a stage's blocks.
    package func blocks(of stage: Int) -> [BlockDescription] { descriptions[stage] }

    /// The parts of the model that a stage computes.
    func parts(of stage: Int) -> [ModelPart] { model.parts(layers: partition.layers(of: stage)) }

    /// The tensors of a stage, by their place in its order, that are no copies of tied ones.
    func originals(of stage: Int) -> [Int] { originals[stage] }

    /// The most such tensors on any rank.
    var mostTensorsOnARank: Int {
        (0..<ranks).map { rank in table.shape.stages(on: rank).reduce(0) { $0 + originals[$1].count } }.max() ?? 0
    }

    /// Replicas hold the same parameters: the first one saves them, and the moments too unless each keeps its own.
    func savesValues(_ replica: Int) -> Bool { replica == 0 }
    func savesMoments(_ replica: Int) -> Bool { replica == 0 || owners != nil }

    /// By tensor of a stage, whether a replica keeps its moments; nil: it keeps all.
    package func keepsMoments(replica: Int, stage: Int) -> [Bool]? { owners?[stage].map { $0 == replica } }

    /// A table of forwards only, for evaluation and generation: units in order, each rank's stages in order.
    package func forwardTable(sequences: Int, slices: Int) throws -> ScheduleTable {
        let shape = try ScheduleShape(
            ranks: ranks, sequences: sequences, slices: slices, placement: table.shape.placement)
        let rows = (0..<ranks).map { rank in
            (0..<sequences).flatMap { n in
                (0..<slices).flatMap { k in
                    shape.stages(on: rank).map { Action(.forward, stage: $0, sequence: n, slice: k) }
                }
            }
        }
        return ScheduleTable(name: "forward", shape: shape, rows: rows)
    }

    /// Matrix flops of training on one token, the mean of a sequence's: forward, and backward counted as twice that.
    package var trainingFlopsPerToken: Double {
        3 * (0...lastStage).reduce(0.0) { $0 + meanForwardFlops(of: $1) }
    }

    /// Matrix flops of a token's forward at a stage, the mean of a sequence's.
    package func meanForwardFlops(of stage: Int) -> Double {
        descriptions[stage].reduce(0.0) { $0 + $1.meanForwardFlops(sequence: sequence, before: streamContext) }
    }

    /// Parameters of the whole model; copies aren't counted.
    package var parameterCount: Int {
        zip(descriptions, originals).reduce(0) { sum, stage in
            let specs = stage.0.flatMap(\.parameters)
            return sum + stage.1.reduce(0) { $0 + specs[$1].count }
        }
    }

    /// Forward, backward and weight gradients of one token at all blocks.
    ///
    /// - Parameter operand: bytes of a number that a matrix product reads
    package func work(operand: Double) -> WorkCounts {
        let tokens = SequenceShape(slice: sequence / slices, sequence: sequence, before: streamContext)
        return descriptions.joined().reduce(into: WorkCounts()) { $0 += $1.work(tokens, operand: operand) }
    }

    /// Whether a tensor has a copy, so that two ranks may need the same part of a checkpoint.
    package var hasTies: Bool { !ties.isEmpty }
}
