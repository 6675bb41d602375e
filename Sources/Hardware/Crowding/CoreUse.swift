import Figures

/// What this process' pinned threads have had of their cores up to a moment, and how long they had to wait for them.
package struct CoreUse: Sendable, Equatable {
    /// A pinned thread. The times count from its beginning.
    package struct Thread: Sendable, Equatable {
        package var id: Int
        package var core: Int
        /// Seconds on a core, and seconds in which it wanted its core while something else had it.
        package var onCore: Double
        package var delayed: Double

        package init(id: Int, core: Int, onCore: Double, delayed: Double) {
            self.id = id
            self.core = core
            self.onCore = onCore
            self.delayed = delayed
        }
    }

    /// Monotonic seconds, and those of all threads of the process on cores.
    package var wall: Double
    package var process: Double
    /// Seconds for which a CPU quota has held threads back, all together.
    package var throttled: Double
    package var threads: [Thread]

    package init(wall: Double, process: Double, throttled: Double = 0, threads: [Thread]) {
        self.wall = wall
        self.process = process
        self.throttled = throttled
        self.threads = threads
    }

    /// What others had of each core, as a share of the time since `earlier`, cores ascending.
    ///
    /// A thread's delay counts, less what this process' own threads did: those pinned to the same core, and those that
    /// aren't pinned, which may have run anywhere. So nothing is blamed on others that may be our own; what others do
    /// while nobody here wants the core harms nobody and isn't counted either.
    package func taken(since earlier: CoreUse) -> [TakenCore] {
        let seconds = wall - earlier.wall
        guard seconds > 0 else { return [] }
        let before = Dictionary(earlier.threads.map { ($0.id, $0) }) { first, _ in first }
        let spans = threads.compactMap { now in
            before[now.id].map { (core: now.core, used: now.onCore - $0.onCore, delay: now.delayed - $0.delayed) }
        }
        let roaming = max(0, process - earlier.process - spans.reduce(0) { $0 + $1.used })
        return Dictionary(grouping: spans, by: \.core).map { core, spans in
            let used = spans.reduce(0) { $0 + $1.used }
            let others = spans.map { $0.delay - (used - $0.used) - roaming }.max() ?? 0
            return TakenCore(core: core, share: min(1, max(0, others / seconds)))
        }.sorted { $0.core < $1.core }
    }

    /// Cores' worth of time since `earlier` for which a CPU quota held threads back.
    package func throttled(since earlier: CoreUse) -> Double {
        wall > earlier.wall ? max(0, throttled - earlier.throttled) / (wall - earlier.wall) : 0
    }

    /// The two numbers of "/proc/.../schedstat" that count, in seconds: on a core, and delayed.
    package static func schedstat(_ text: some StringProtocol) -> (onCore: Double, delayed: Double)? {
        let fields = text.split { $0 == " " || $0 == "\n" }.map { Double($0) }
        guard fields.count >= 2, let onCore = fields[0], let delayed = fields[1] else { return nil }
        return (1e-9 * onCore, 1e-9 * delayed)
    }
}

/// A core that other programs use.
package struct TakenCore: Sendable, Equatable {
    package let core: Int
    /// Of the time, 0 ... 1.
    package let share: Double

    package init(core: Int, share: Double) {
        self.core = core
        self.share = share
    }

    /// Less is what every system takes for itself now and then.
    package static let notable = 0.1

    package var isNotable: Bool { share >= Self.notable }

    /// "core 1: other programs had it for 76 % of the time"
    package var description: String {
        "core \(core): other programs had it for \(share.asWholePercentage) of the time"
    }
}
