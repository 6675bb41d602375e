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
    private var tensorCounts: [Int] = []

    /// Validates the table. `table.shape.ranks` is the pipeline's length within one replica.
    package init(
        model: GeckoConfiguration, table: ScheduleTable, partition: LayerPartition, slice: Int, replicas: Int,
        streams: Bool, stashDirectory: String? = nil
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
        tensorCounts = (0..<partition.stages).map { stage in
            blocks(of: stage).flatMap(\.parameters).filter { $0.copyOf == nil }.count
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

    /// The blocks of a stage.
    package func blocks(of stage: Int) -> [any Block] {
        var blocks: [any Block] = partition.layers(of: stage).map { GeckoLayer(model, layer: $0) }
        if stage == 0 { blocks.insert(Embedding(model), at: 0) }
        if stage == lastStage { blocks.append(OutputLayer(model)) }
        return blocks
    }

    /// Tensors that a stage owns (copies of tied ones not counted).
    package func tensors(of stage: Int) -> Int { tensorCounts[stage] }

    /// The most tensors that any rank owns.
    package var mostTensorsOnARank: Int {
        (0..<ranks).map { rank in table.shape.stages(on: rank).reduce(0) { $0 + tensorCounts[$1] } }.max() ?? 0
    }

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
