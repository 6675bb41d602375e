import CCPU
import Glibc
@_exported import KernelInterface
import KernelsBaseline
import KernelsV3
import KernelsV4
import KernelsV4BF16

extension KernelTable {
    /// The kernels for this CPU, or those of the lower level that the environment asks for.
    public static let best: KernelTable = at(level: levelAskedFor ?? Int(ccpu_level())) ?? at(level: 0)!

    /// The environment variable that makes a CPU run a lower level's kernels, as an older one would: for tests and
    /// measurements.
    public static let levelVariable = "GECKO_CPU_LEVEL"

    private static var levelAskedFor: Int? { getenv(levelVariable).flatMap { Int(String(cString: $0)) } }

    /// What is wrong with the variable's value; nil where nothing is.
    public static var levelProblem: String? {
        guard let text = getenv(levelVariable) else { return nil }
        if let level = levelAskedFor, at(level: level) != nil { return nil }
        let levels = runnable.map { "\($0.level) (\($0.levelName))" }.joined(separator: ", ")
        return "\(levelVariable)=\(String(cString: text)): expected a level that this CPU can run: \(levels)"
    }

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
