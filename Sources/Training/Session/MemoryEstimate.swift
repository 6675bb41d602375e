import Hardware
import Numerics
import Pipeline
import Schedules

/// What memory a run will take, known before it starts: by rank, and of this process' node.
struct MemoryEstimate {
    /// By world rank.
    let ranks: [RankMemory]
    /// What this process holds before the run: the program, its libraries, the text. Others hold about as much.
    let program: Int
    private let plan: any RunPlan
    private let host: RankHost

    init(_ plan: some RunPlan, _ host: RankHost) {
        self.plan = plan
        self.host = host
        program = ProcessMemory.resident
        let checkpoints = plan.configuration.checkpoint.every > 0
        ranks = (0..<plan.pipeline.world).map { rank in
            plan.pipeline.memory(ofRank: rank, workers: host.cores[rank].count, checkpoints: checkpoints)
        }
    }

    /// Bytes of the process that needs most.
    var fullest: Int {
        program + (isOneProcess ? ranks.reduce(0) { $0 + $1.total } : ranks.map(\.total).max() ?? 0)
    }

    private var isOneProcess: Bool { host.ranks.count == ranks.count }

    /// Bytes of all ranks on this process' node.
    private var node: Int {
        let here = host.nodes[host.ranks[0]]
        let neighbours = ranks.indices.filter { host.nodes[$0] == here }
        return neighbours.reduce(isOneProcess ? program : program * neighbours.count) { $0 + ranks[$1].total }
    }

    /// Refuses a run that cannot have the memory it needs.
    func check() throws {
        let (needed, limit) = (node, ProcessMemory.limit)
        guard needed > limit else { return }
        var ways: [String] = []
        if plan.configuration.pipeline.stash == .memory {
            ways.append("keep the stash on a disk (pipeline.stash = disk)")
        }
        if !plan.pipeline.table.usesRecompute { ways.append("pipeline.recompute = true") }
        ways += ["shorter slices (pipeline.slice)", "more ranks"]
        throw ConfigurationError([
            "this run needs \(ByteText.of(needed)) on a node that has \(ByteText.of(limit)) for it: \(parts(of: fullestRank)). "
                + "What helps: \(ways.joined(separator: ", "))"
        ])
    }

    private var fullestRank: RankMemory { ranks.max { $0.total < $1.total } ?? RankMemory() }

    /// Lines for the start of a run.
    var text: String {
        let rank = fullestRank
        var text = "memory: \(ByteText.of(fullest)) "
        text += isOneProcess ? "expected in this process" : "expected on the fullest rank"
        text += " = program \(ByteText.of(program)), "
        text += (isOneProcess && ranks.count > 1 ? "fullest rank: " : "") + parts(of: rank)
        text += "; huge pages: \(HugePages.summary)"
        if rank.spool > 0 {
            let slots = rank.slots
            text +=
                "\nstash:  on disk, \(ByteText.of(ranks.map(\.spool).max() ?? 0)) a rank in \(plan.pipeline.stashDirectory ?? "")"
            text += "; in memory at a time \(slots.full) slices"
            if slots.light > 0 { text += ", inputs and entry states of \(slots.light)" }
        } else if plan.pipeline.stashDirectory != nil {
            text +=
                "\nstash:  all of it finds room in the \(rank.slots.full) slices kept in memory: nothing goes to disk"
        }
        if let available = ProcessMemory.available, node > available, node <= ProcessMemory.limit {
            text +=
                "\nwarning: the ranks of this node need \(ByteText.of(node)), but only \(ByteText.of(available)) are free now"
        }
        return text
    }

    private func parts(of rank: RankMemory) -> String {
        var parts = ["parameters, gradients and moments \(ByteText.of(rank.parameters))"]
        var slices: [String] = []
        if rank.slots.full > 0 {
            slices.append("activations of \(rank.slots.full) slices \(ByteText.of(rank.stash.full))")
        }
        if rank.slots.light > 0 {
            slices.append("inputs and states of \(rank.slots.light) slices \(ByteText.of(rank.stash.light))")
        }
        slices.append("upstream gradients of \(rank.slots.gradient) \(ByteText.of(rank.stash.gradient))")
        parts.append("stash \(ByteText.of(rank.stashBytes)) (\(slices.joined(separator: ", ")))")
        if rank.packed > 0 { parts.append("packed weights \(ByteText.of(rank.packed))") }
        parts.append("scratch \(ByteText.of(rank.workspace))")
        parts.append("states \(ByteText.of(rank.states))")
        if rank.messages > 0 { parts.append("messages \(ByteText.of(rank.messages))") }
        parts.append("tokens \(ByteText.of(rank.tokens))")
        if rank.snapshot > 0 { parts.append("checkpoint copy \(ByteText.of(rank.snapshot))") }
        return parts.joined(separator: ", ")
    }
}
