import CCPU
import Glibc
import Synchronization

/// How long a waiting thread insists before it lets go of its core.
package struct WaitPolicy: Sendable {
    /// Seconds of spinning: the core is held, the reaction takes well under a microsecond.
    package let spin: Double
    /// Seconds, spinning included, after which the thread should sleep; in between it yields at each look.
    package let awake: Double

    package init(spin: Double, awake: Double) {
        self.spin = spin
        self.awake = awake
    }

    /// For a thread with a core of its own.
    package static let ownCore = WaitPolicy(spin: 300e-6, awake: 500e-6)
    /// For a thread whose core others need: whoever it waits for may be one of them.
    package static let sharedCore = WaitPolicy(spin: 2e-6, awake: 200e-6)
}

/// The rhythm of a polling loop: spin, then yield, then say that it is time to sleep.
package struct Backoff {
    private let policy: WaitPolicy
    private var looks = 0
    private var start = 0.0
    private var isYielding = false

    package init(_ policy: WaitPolicy) {
        self.policy = policy
    }

    /// Waits a moment; false when the thread should sleep instead: the wait has lasted long, or giving the core away
    /// for a moment costs more than sleep.
    @inline(__always)
    package mutating func pause() -> Bool {
        looks &+= 1
        // The clock costs more than a look, so a spinning thread reads it now and then.
        if isYielding || looks & 31 == 0 { return pauseByClock() }
        ccpu_relax()
        return true
    }

    private mutating func pauseByClock() -> Bool {
        let now = MonotonicClock.seconds
        if start == 0 { start = now }
        let elapsed = now - start
        if elapsed < policy.spin {
            ccpu_relax()
            return true
        }
        if elapsed >= policy.awake || YieldPrice.isHigh(now) { return false }
        isYielding = true
        sched_yield()
        YieldPrice.paid(MonotonicClock.seconds - now, at: now)
        return true
    }
}

/// What yielding costs here at the moment. Nothing where nobody else wants the core; but who yields to a program that
/// computes is back only when that one's time slice is over, milliseconds later, while a sleeper is woken when it is
/// needed.
enum YieldPrice {
    /// Seconds out of the core from which a yield was dear.
    private static let dear = 200e-6
    /// Seconds for which that is remembered, by all threads of the process.
    private static let memory = 0.1
    /// The monotonic second until when yields are thought dear, as bits.
    private static let highUntil = Atomic<UInt64>(0)

    static func isHigh(_ now: Double) -> Bool { now < Double(bitPattern: highUntil.load(ordering: .relaxed)) }

    static func paid(_ seconds: Double, at now: Double) {
        if seconds >= dear { highUntil.store((now + seconds + memory).bitPattern, ordering: .relaxed) }
    }
}
