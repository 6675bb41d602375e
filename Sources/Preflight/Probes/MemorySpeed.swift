import Glibc
import Hardware
import Numerics

/// How fast a rank's cores together copy memory.
enum MemorySpeed {
    private static let floatsPerWorker = 4 << 20
    private static let rounds = 4

    /// Bytes a second, reading and writing counted.
    static func measure(_ team: Team) -> Double {
        let buffers = (0..<team.count).map { _ in FloatBuffer(2 * floatsPerWorker) }
        // Memory that was never written may all be one page of zeros.
        team.run(inPlace: true) { worker in buffers[worker].clear() }
        var best = Double.infinity
        for _ in 0..<rounds {
            let start = MonotonicClock.seconds
            team.run(inPlace: true) { worker in
                let base = buffers[worker].base
                memcpy(base + floatsPerWorker, base, 4 * floatsPerWorker)
            }
            best = min(best, MonotonicClock.seconds - start)
        }
        return 8 * Double(floatsPerWorker * team.count) / best
    }
}
