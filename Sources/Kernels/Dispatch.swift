import CCPU
@_exported import KernelInterface
import KernelsBaseline
import KernelsV3
import KernelsV4
import KernelsV4BF16

extension KernelTable {
    /// The kernels for this CPU.
    public static let best: KernelTable = at(level: Int(ccpu_level())) ?? at(level: 0)!

    /// The kernels compiled for `level`, nil where this CPU can't run them. Level 0 always runs.
    public static func at(level: Int) -> KernelTable? {
        guard level <= Int(ccpu_level()) else { return nil }
        switch level {
        case 5: return KernelsV4BF16.kernelTable(level: 5)
        case 4: return KernelsV4.kernelTable(level: 4)
        case 3: return KernelsV3.kernelTable(level: 3)
        case 0: return KernelsBaseline.kernelTable(level: 0)
        default: return nil
        }
    }

    /// As processors' makers call it.
    public var levelName: String {
        switch level {
        case 5: "AVX-512 BF16"
        case 4: "AVX-512"
        case 3: "AVX2"
        default: "any CPU"
        }
    }

    /// The levels that this CPU can run, best first.
    public static var runnable: [KernelTable] { [5, 4, 3, 0].compactMap(at) }
}
