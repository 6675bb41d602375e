import Model
import Schedules

/// Everything that all ranks know of a run before it starts: the table, its messages and slots, who computes what.
package struct PipelinePlan: Sendable {
    package let model: GeckoConfiguration
    package let table: ScheduleTable
    package let messages: Messages
    package let slots: Slots
    package let partition: LayerPartition
    /// Tokens of a slice and of a sequence.
    package let slice: Int
    package let sequence: Int
    package let replicas: Int
    /// The carried state goes on from step to step (detached) instead of starting anew.
    package let streams: Bool
    /// The folder of the disk that the stash is spooled to; nil when it is all in memory.
    package let stashDirectory: String?
    /// How activations and their gradients travel between ranks.
    package var wire = WireFormat.float32
    /// How the gradients' way between replicas is cut.
    package var sync = SyncSizes()
    /// By stage and tensor, in the stage's order, the replica that updates the tensor; nil when every replica updates all.
    package let owners: [[Int]]?
    /// By stage, which of its tensors are no copies of another stage's.
    private var originals: [[Int]] = []

    /// Validates the table. `table.shape.ranks` is the pipeline's length within one replica.
    ///
    /// - Parameter shardsOptimizer: the replicas share the tensors out among them: each keeps the moments of its own, and updates those
    package init(
        model: GeckoConfiguration, table: ScheduleTable, partition: LayerPartition, slice: Int, replicas: Int,
        streams: Bool, stashDirectory: String? = nil, shardsOptimizer: Bool = false
    ) throws {
        precondition(partition.stages == table.shape.stages, "the partition must have the table's stages")
        try table.validate()
        self.model = model
        self.table = table
        messages = Messages(table)
        slots = Slots(table, limit: stashDirectory == nil ? nil : Slots.resident)
        self.stashDirectory = stashDirectory
        self.partition = partition
        self.slice = slice
        sequence = slice * table.shape.slices
        self.replicas = replicas
        self.streams = streams
        let lastStage = partition.stages - 1
        let specs = (0...lastStage).map {
            Self.blocks(model, partition.layers(of: $0), isFirst: $0 == 0, isLast: $0 == lastStage).flatMap(
                \.parameters)
        }
        owners =
            shardsOptimizer && replicas > 1
            ? specs.map { TensorOwners.of($0, among: replicas, tied: model.tieEmbeddings) } : nil
        originals = specs.map { specs in specs.indices.filter { specs[$0].copyOf == nil } }
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

    /// The blocks of a stage.
    package func blocks(of stage: Int) -> [any Block] {
        Self.blocks(model, partition.layers(of: stage), isFirst: stage == 0, isLast: stage == lastStage)
    }

    private static func blocks(
        _ model: GeckoConfiguration, _ layers: Range<Int>, isFirst: Bool, isLast: Bool
    ) -> [any Block] {
        var blocks: [any Block] = layers.map { GeckoLayer(model, layer: $0) }
        if isFirst { blocks.insert(Embedding(model), at: 0) }
        if isLast { blocks.append(OutputLayer(model)) }
        return blocks
    }

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

    /// A table of forwards only, for evaluation: units in order, each rank's stages in order.
    package func forwardTable(sequences: Int) throws -> ScheduleTable {
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

    /// Matrix flops of training on one token: forward, and backward counted as twice that.
    package var trainingFlopsPerToken: Double {
        3 * (0...lastStage).reduce(0.0) { $0 + blocks(of: $1).reduce(0.0) { $0 + $1.forwardFlopsPerToken } }
    }
}
