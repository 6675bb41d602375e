import Figures
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
        let section = plan.configuration.checkpoint
        let checkpoints = section.every > 0 || section.localEvery > 0
        ranks = (0..<plan.pipeline.world).map { rank in
            plan.pipeline.memory(ofRank: rank, workers: host.cores[rank].count, checkpoints: checkpoints)
        }
    }

    /// Bytes of the process that needs most.
    var fullest: Int {
        program.saturatingPlus(isOneProcess ? .saturatingSum(ranks.map(\.total)) : ranks.map(\.total).max() ?? 0)
    }

    var isOneProcess: Bool { host.ranks.count == ranks.count }

    /// World ranks on this process' node.
    private var neighbours: [Int] {
        let here = host.nodes[host.ranks[0]]
        return ranks.indices.filter { host.nodes[$0] == here }
    }

    /// Bytes of all ranks on this process' node.
    private var node: Int {
        let programs = program.saturatingTimes(isOneProcess ? 1 : neighbours.count)
        return programs.saturatingPlus(.saturatingSum(neighbours.map { ranks[$0].total }))
    }

    /// Refuses a run that cannot have the memory or the threads it needs.
    func check() throws {
        try checkThreads()
        try checkFiles()
        let shared = MemoryLimit.tightestShared
        if node > shared.bytes { throw refusal(node, "on a node that has \(shared.text)") }
        // A process of its own has what it takes now already counted, and needs stacks for its threads.
        let stacks = host.ranks.reduce(0) { $0 + host.cores[$1].count }.saturatingTimes(ResourceLimits.threadStack)
        let fillers = host.ranks.map { rank in
            let copied = ranks[rank].snapshot
            return copied > 0 ? 4 * RankMemory.cacheFiller(copied / 4) : 0
        }
        let process = Int.saturatingSum(host.ranks.map { ranks[$0].total } + fillers).saturatingPlus(
            stacks + Self.slack)
        for limit in MemoryLimit.own {
            guard process > limit.bytes - (limit.taken ?? 0) else { continue }
            throw refusal(process, "in a process that has \(limit.text)", "a higher limit")
        }
    }

    /// What libraries and the allocator take beside it.
    private static let slack = 32 << 20

    private func refusal(_ needed: Int, _ place: String, _ first: String...) -> ConfigurationError {
        var ways = first
        if plan.configuration.pipeline.stash == .memory {
            ways.append("keep the stash on a disk (pipeline.stash = disk)")
        }
        if !plan.pipeline.table.usesRecompute { ways.append("pipeline.recompute = true") }
        ways += ["shorter slices (pipeline.slice)", "more ranks"]
        return ConfigurationError([
            "this run needs \(needed.asShortBytes) \(place): \(parts(of: fullestRank)). "
                + "What helps: \(ways.joined(separator: ", "))"
        ])
    }

    private func checkThreads() throws {
        guard let limit = ControlGroups.own.threads else { return }
        // Beside the workers a process has some for watching, saving and for Swift's and MPI's own purposes.
        let ranks = isOneProcess ? host.ranks : neighbours
        let needed = ranks.reduce(0) { $0 + host.cores[$1].count } + 8 * (isOneProcess ? 1 : neighbours.count)
        guard Double(needed) > limit.value else { return }
        throw ConfigurationError(
            "this run needs about \(needed) threads on this node, and \(Int(limit.value)) more may be started "
                + "(\(limit.file)): take fewer ranks or machine.threads, or raise the limit")
    }

    /// What a run opens beside what is open already: its log, its lock, a checkpoint's file and folder for each rank, a
    /// stash on disk.
    private func checkFiles() throws {
        guard let limit = ResourceLimits.openFiles else { return }
        let needed = ResourceLimits.filesOpen + 8 + host.ranks.count * (plan.pipeline.stashDirectory == nil ? 2 : 3)
        guard needed > limit else { return }
        throw ConfigurationError(
            """
            this run opens about \(needed) files at a time in a process, and at most \(limit) may be open (ulimit \
            -n): raise the limit
            """
        )
    }

    private var fullestRank: RankMemory { ranks.max { $0.total < $1.total } ?? RankMemory() }

    /// Lines for the start of a run.
    var text: String {
        let rank = fullestRank
        let limit = MemoryLimit.tightestShared
        var text = "memory: \(fullest.asShortBytes) expected \(isOneProcess ? "" : "on the fullest rank ")"
        text += "(of \(limit.bytes.asShortBytes)\(isOneProcess ? "" : " for all of its node"))"
        if rank.spool > 0 {
            let slots = rank.slots
            text +=
                """
                \nstash:  on disk, \((ranks.map(\.spool).max() ?? 0).asShortBytes) a rank in \
                \(plan.pipeline.stashDirectory ?? "")
                """
            text += "; in memory at a time \(slots.full) slices"
            if slots.light > 0 { text += ", inputs and entry states of \(slots.light)" }
        } else if plan.pipeline.stashDirectory != nil {
            text +=
                "\nstash:  all of it finds room in the \(rank.slots.full) slices kept in memory: nothing goes to disk"
        }
        if let available = ProcessMemory.available, node > available, node <= limit.bytes {
            text +=
                """
                \nwarning: the ranks of this node need \(node.asShortBytes), but only \(available.asShortBytes) \
                are free now
                """
        }
        return text
    }

    /// What the expected memory is made of, for the run's folder.
    var details: String {
        let place = isOneProcess ? "in this process" : "on the fullest rank"
        let limits = (MemoryLimit.shared() + MemoryLimit.own).map { "limit: \($0.text)\n" }.joined()
        return """
            \(fullest.asShortBytes) expected \(place)
            program, libraries, text: \(program.asShortBytes)
            \(isOneProcess && ranks.count > 1 ? "the fullest of \(ranks.count) ranks" : "a rank"): \
            \(parts(of: fullestRank))
            huge pages: \(HugePages.summary)
            \(limits)
            """
    }

    private func parts(of rank: RankMemory) -> String {
        var parts = ["parameters, gradients and moments \(rank.parameters.asShortBytes)"]
        var slices: [String] = []
        if rank.slots.full > 0 {
            slices.append("activations of \(rank.slots.full) slices \(rank.stash.full.asShortBytes)")
        }
        if rank.slots.light > 0 {
            slices.append("inputs and states of \(rank.slots.light) slices \(rank.stash.light.asShortBytes)")
        }
        slices.append("upstream gradients of \(rank.slots.gradient) \(rank.stash.gradient.asShortBytes)")
        parts.append("stash \(rank.stashBytes.asShortBytes) (\(slices.joined(separator: ", ")))")
        if rank.packed > 0 { parts.append("packed weights \(rank.packed.asShortBytes)") }
        parts.append("scratch \(rank.workspace.asShortBytes)")
        parts.append("states \(rank.states.asShortBytes)")
        if rank.prefixes > 0 { parts.append("rows of whole sequences \(rank.prefixes.asShortBytes)") }
        if rank.messages > 0 { parts.append("messages \(rank.messages.asShortBytes)") }
        parts.append("tokens \(rank.tokens.asShortBytes)")
        if rank.snapshot > 0 { parts.append("checkpoint copy \(rank.snapshot.asShortBytes)") }
        return parts.joined(separator: ", ")
    }
}
