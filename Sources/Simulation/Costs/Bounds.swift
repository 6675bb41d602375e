import Figures

/// What numbers of options and files may be. Within these bounds no sum of a step overflows, and every figure can be
/// read.
public enum Bounds {
    /// A time, in milliseconds: up to a thousand hours.
    public static let milliseconds = 0.0...3.6e9
    public static let millisecondsText = "a time in milliseconds from 0 to 3.6e9 (a thousand hours)"
    /// How many times as long a rank takes.
    public static let slowness = 1e-3...1e6
    /// Bytes of a unit, a stage or a message: up to a pebibyte.
    public static let bytes = 0...1 << 50
    /// Bytes a second.
    public static let bandwidth = 1e15
    /// Cores, nodes and sockets.
    public static let nodes = 1...1_000_000
    public static let cores = 1...65_536
    public static let sockets = 1...1024
    public static let nodeNumbers = 0...Int(Int32.max)
    /// Actions of a step that is simulated, searched and drawn: some 300 bytes each.
    public static let actions = 10_000_000
    /// Actions of a step that `auto` searches: at least fifteen tables of them are made and simulated.
    public static let searchedActions = 1_000_000
    /// Actions times ranks of a simulation with shared cores, which looks at every rank for every action.
    public static let sharedCoreWork = 400_000_000.0

    /// Refuses a step that is too large, before it is made.
    public static func check(actions count: Double, most: Int = actions, what: String = "simulated") throws {
        guard count > Double(most) else { return }
        throw SimulationError(
            "the step has \(count < 1e15 ? "\(Int(count))" : count.significant) actions, and at most \(most) can be "
                + "\(what): take fewer ranks, sequences or slices; a longer step goes on as a shorter one does")
    }
}

extension Double {
    /// The number as one would write it, in the fewest digits that mean the same.
    package var asWritten: String {
        let text = "\(self)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}

extension Int {
    /// The nearest whole number there is.
    package init(saturating value: Double) {
        self = value.isNaN ? 0 : value >= 9.2e18 ? .max : value <= -9.2e18 ? .min : Int(value)
    }
}
