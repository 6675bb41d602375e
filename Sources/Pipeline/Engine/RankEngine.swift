import Hardware
import MPI
import Model
import Numerics
import Schedules

/// What one rank does: holds its stages and their memory, runs its row of the table, syncs, steps the optimizer.
/// Confined to the rank's thread; `StageActor` is its face.
final class RankEngine {
    let plan: PipelinePlan
    let endpoint: any Endpoint
    let replica: Int
    /// Rank within the replica's pipeline.
    let rank: Int
    let team: Team
    let matrices: any MatrixProducts
    /// What this rank is at, for a watchdog and for peers that wait for it in vain.
    let pulse: Pulse
    let seed: UInt64
    let shape: SliceShape
    var places: [StagePlace] = []
    var tracer: Tracer?

    // The step under way.
    var tokens: FixedBuffer<Int32>
    var targets: FixedBuffer<Int32>
    var unitLosses: [Double] = []
    /// By stage, weight gradients that are still to come.
    var gradientsLeft: [Int]
    /// What this rank tells the others, and what all told: `RankNumbers`.
    var ownNumbers: [Double]
    var numbers: RankNumbers
    /// Squared norms that have room in a row of them: as many as any rank's tensors.
    let tensorRoom: Int
    var waited = 0.0
    var messages: MessagePump
    var sync: GradientSync?
    /// Set when each replica updates a part of the parameters only.
    var updates: PartExchange?
    var optimizerStep = 0
    let activationBuffers: BufferPool
    let slices: SharedSlices
    /// Nil when the stash is all in memory.
    let spool: StashSpool?
    let tags: ReservedTags
    var generator: Generator?
    /// For tied tensors' gradients, by their floats.
    var tiedBuffers: [Int: FloatBuffer] = [:]
    /// Checkpoint files on their way to and from other ranks.
    var copies: [(id: TransferID, transfer: FileTransfer)] = []
    /// Outputs that wait for a stage on this very rank.
    var handedOver: [Handover: FloatBuffer] = [:]

    struct Handover: Hashable {
        let direction: MessageDirection
        let stage: Int
        let unit: Int
    }

    init(plan: PipelinePlan, endpoint: any Endpoint, team: Team, pulse: Pulse, seed: UInt64) throws {
        self.plan = plan
        self.endpoint = endpoint
        self.team = team
        self.pulse = pulse
        matrices = try plan.matrices.products(on: team, precision: plan.model.precision)
        let matrices = matrices
        self.seed = seed
        guard endpoint.size == plan.world else {
            throw PipelineError("the plan has \(plan.world) ranks, the transport \(endpoint.size)")
        }
        replica = endpoint.rank / plan.ranks
        rank = endpoint.rank % plan.ranks
        spool = try StashSpool(plan, rank: rank, worldRank: endpoint.rank, workers: team.count)
        slices = SharedSlices(plan)
        shape = SliceShape(length: plan.slice, workers: team.count, matrices: plan.matrices)
        tokens = FixedBuffer(plan.sequences * plan.sequence)
        targets = FixedBuffer(plan.sequences * plan.sequence)
        gradientsLeft = [Int](repeating: 0, count: plan.table.shape.stages)
        tensorRoom = plan.mostTensorsOnARank
        ownNumbers = [Double](repeating: 0, count: RankNumbers.Place.norms + tensorRoom)
        numbers = RankNumbers(tensors: tensorRoom)
        unitLosses = [Double](repeating: 0, count: plan.sequences * plan.slices)
        activationBuffers = BufferPool(plan.slice * plan.model.dim, buffers: plan.mostMessages(on: rank))
        tags = ReservedTags(scheduleTags: plan.messages.tagCount)
        try endpoint.requireTags(upTo: tags.largest)
        endpoint.reserve(transfers: plan.mostMessages(on: rank))
        messages = MessagePump(
            endpoint: endpoint, plan: plan, replica: replica, rank: rank, buffers: activationBuffers)
        places = plan.table.shape.stages(on: rank).map { stage in
            StagePlace(
                stage: stage, replica: replica, plan: plan, shape: shape, matrices: matrices, slices: slices)
        }
        for place in places {
            place.stage.store.touch(team)
            place.stage.store.initialize(seed: seed, team)
        }
        if plan.replicas > 1 {
            let layout = SyncLayout(plan, rank: rank)
            let group = (0..<plan.replicas).map { plan.worldRank(replica: $0, rank: rank) }
            sync = GradientSync(
                layout, endpoint: endpoint, group: group, gradients: { place(of: $0).stage.store.gradients },
                returns: plan.owners == nil, tag: tags.sync)
            if plan.owners != nil {
                let values = layout.pieces { place(of: $0).stage.store.values }
                updates = PartExchange(endpoint: endpoint, group: group, parts: values, tag: tags.updates)
            }
        }
        team.onJoin = { [unowned self] in advance() }
        endpoint.onWait = { [unowned self] in
            try checkMessages()
            try sync?.progress()
        }
        endpoint.activity = { [pulse] in pulse.activity }
    }

    /// Copies a batch to memory that stays in place while slices point into it.
    func load(_ batch: Batch) {
        slices.forget()
        if batch.tokens.count > tokens.count {
            tokens = FixedBuffer(batch.tokens.count)
            targets = FixedBuffer(batch.tokens.count)
        }
        let units = batch.sequences * plan.slices
        if units > unitLosses.count { unitLosses = [Double](repeating: 0, count: units) }
        tokens.base.update(from: batch.tokens, count: batch.tokens.count)
        targets.base.update(from: batch.targets, count: batch.targets.count)
    }

    private var lastAdvance = 0.0

    /// What went wrong between kernels, where nothing can be thrown.
    private var failure: (any Error)?

    /// Moves messages between kernels; MPI makes no progress without calls. What goes wrong is thrown by
    /// `checkMessages`.
    func advance() {
        let now = MonotonicClock.seconds
        if now - lastAdvance < 50e-6 { return }
        lastAdvance = now
        moveMessages {
            try endpoint.progress()
            try sync?.progress()
        }
        team.clock?.alone(.communication, since: now)
    }

    /// For hooks that can't throw: the first error is kept.
    func moveMessages(_ body: () throws -> Void) {
        guard failure == nil else { return }
        do { try body() } catch { failure = error }
    }

    /// - Throws: what went wrong with a message since the last look
    func checkMessages() throws {
        if let failure { throw failure }
    }

    func place(of stage: Int) -> StagePlace {
        guard let place = places.first(where: { $0.number == stage }) else {
            preconditionFailure("stage \(stage) doesn't live on rank \(rank)")
        }
        return place
    }

    func unit(_ action: Action) -> Int { action.sequence * plan.slices + action.slice }

    /// First token of an action's slice within the step's buffers.
    func offset(_ action: Action) -> Int { action.sequence * plan.sequence + action.slice * plan.slice }

    func describe(_ action: Action) -> String {
        "stage \(action.stage) of replica \(replica), action \(action)"
    }
}

package struct PipelineError: Error, CustomStringConvertible, Sendable {
    package let description: String
    /// This rank was stopped because another failed.
    package let isConsequence: Bool

    package init(_ description: String, isConsequence: Bool = false) {
        self.description = description
        self.isConsequence = isConsequence
    }
}

extension Error {
    /// Whether another rank did not come in time.
    package var isLostPeer: Bool {
        switch self {
        case let error as MPIError: error.isLostPeer
        case let error as TransportError: error.isLostPeer
        default: false
        }
    }
}
