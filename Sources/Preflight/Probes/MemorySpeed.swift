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
        var best = Double.infinity
        for _ in 0..<rounds {
            let start = MonotonicClock.seconds
            team.run { worker in
                let base = buffers[worker].base
                memcpy(base + floatsPerWorker, base, 4 * floatsPerWorker)
            }
            best = min(best, MonotonicClock.seconds - start)
        }
        return 8 * Double(floatsPerWorker * team.count) / best
    }

    /// Bytes of the node's memory that programs could still have; 0 where the system doesn't say.
    static func free() -> Double {
        guard let file = fopen("/proc/meminfo", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let words = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                .split(whereSeparator: \.isWhitespace)
            if words.first == "MemAvailable:", words.count > 1, let kibibytes = Double(words[1]) {
                return kibibytes * 1024
            }
        }
        return 0
    }
}
