import Hardware
import Numerics

/// How fast each core of a rank multiplies matrices while all of them do, and how much of the time it had to give to
/// other programs.
enum CoreSpeeds {
    /// Rows and columns: the operands lie in a core's second-level cache, so that memory does not count.
    private static let size = 288
    /// Of several windows the best counts: a moment's disturbance is no defect, a neighbour that stays takes its share
    /// of every window.
    private static let windows = 5
    private static let secondsPerWindow = 0.06

    /// - Parameter cores: the cores of the team's workers
    static func measure(_ team: Team, cores: [Int]) -> [NodeFacts.Core] {
        let found = UnsafeMutableBufferPointer<NodeFacts.Core>.allocate(capacity: team.count)
        found.initialize(repeating: NodeFacts.Core(number: 0, gflops: 0, taken: 0))
        defer { found.deallocate() }
        let engine = TileProducts(team)
        let buffers = (0..<team.count).map { _ in FloatBuffer(3 * size * size) }
        team.run(inPlace: true) { worker in
            let memory = buffers[worker].base
            let (a, b, c) = (memory, memory + size * size, memory + 2 * size * size)
            for i in 0..<size * size {
                a[i] = Float(i % 13) - 6
                b[i] = Float(i % 7) - 3
            }
            let product = Product(
                rows: size, columns: size, depth: size, Factor(a, stride: size), Factor(b, stride: size),
                to: Destination(c, stride: size))
            var best = 0.0
            let (begin, beginOnCore) = (MonotonicClock.seconds, ThreadClock.seconds)
            for _ in 0..<windows {
                let start = MonotonicClock.seconds
                var (now, products) = (start, 0)
                repeat {
                    engine.multiply(product, on: worker)
                    products += 1
                    now = MonotonicClock.seconds
                } while now - start < secondsPerWindow
                best = max(best, 2e-9 * Double(size * size * size * products) / (now - start))
            }
            let onCore = (ThreadClock.seconds - beginOnCore) / (MonotonicClock.seconds - begin)
            found[worker] = NodeFacts.Core(number: cores[worker], gflops: best, taken: max(0, 1 - onCore))
        }
        return Array(found)
    }
}
