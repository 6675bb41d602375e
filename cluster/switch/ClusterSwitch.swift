import Glibc

/// An Ethernet switch in user space with slow cables, for `cluster/dev up --delay`: many kernels come without a delay
/// of their own.
@main
struct ClusterSwitch {
    static func main() {
        do {
            let arguments = CommandLine.arguments.dropFirst()
            guard arguments.count >= 4 else {
                throw SwitchError.wrong(
                    """
                    usage: cluster-switch RATE DELAY INTERFACE INTERFACE...    such as: cluster-switch 1gbit 100us \
                    eth0 to-n1
                    """
                )
            }
            let rate = try rate(arguments[1])
            let delay = try delay(arguments[2])
            let taps = try arguments.dropFirst(2).map { try Tap(name: $0) }
            // Where it is granted, this gives a turn as soon as a packet is due, and timers to the microsecond.
            var priority = sched_param()
            priority.sched_priority = 1
            sched_setscheduler(0, SCHED_FIFO, &priority)
            var ethernet = EthernetSwitch(taps: taps, rate: rate, delay: delay)
            ethernet.run()
        } catch {
            let text = "cluster-switch: \(error)\n"
            write(STDERR_FILENO, text, text.utf8.count)
            exit(error is SwitchError ? 2 : 1)
        }
    }

    /// Bytes a second.
    private static func rate(_ text: String) throws(SwitchError) -> Double {
        if text == "none" { return .infinity }
        return try number(text, ["kbit": 125, "mbit": 125e3, "gbit": 125e6], "a rate such as 1gbit, or none")
    }

    /// Seconds.
    private static func delay(_ text: String) throws(SwitchError) -> Double {
        try number(text, ["us": 1e-6, "ms": 1e-3, "s": 1], "a delay such as 100us")
    }

    private static func number(
        _ text: String, _ units: [String: Double], _ expected: String
    ) throws(SwitchError) -> Double {
        let digits = text.prefix { $0.isNumber || $0 == "." }
        guard let value = Double(digits), value > 0, let unit = units[String(text.dropFirst(digits.count))] else {
            throw .wrong("expected \(expected), found '\(text)'")
        }
        return value * unit
    }
}
