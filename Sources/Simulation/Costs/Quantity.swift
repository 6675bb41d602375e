import Figures
import Foundation
import Schedules

/// Numbers with units, as one writes them on a command line.
public enum Quantity {
    /// Seconds from "50us", "0.1ms", "2s"; a number without a unit could be any of them, but for 0.
    public static func seconds(_ text: String) -> Double? {
        number(
            text, units: [("ns", 1e-9), ("us", 1e-6), ("\u{b5}s", 1e-6), ("\u{3bc}s", 1e-6), ("ms", 1e-3), ("s", 1)])
            ?? (plain(text) == 0 ? 0 : nil)
    }

    /// Bytes per second from "1gbit", "1.25GB/s", "400MiB/s". "Gb/s" is nothing: one writes it for bits and for bytes.
    public static func bandwidth(_ text: String) -> Double? {
        let bits = [("kbit", 125.0), ("mbit", 125e3), ("gbit", 125e6), ("tbit", 125e9)]
        return number(text, units: bits.map { ($0.0 + "/s", $0.1) } + bits)
            ?? (text.contains("B")
                ? number(
                    text,
                    units: [
                        ("KB/s", 1e3), ("MB/s", 1e6), ("GB/s", 1e9), ("TB/s", 1e12), ("KiB/s", 1024),
                        ("MiB/s", 1_048_576), ("GiB/s", 1_073_741_824), ("TiB/s", 1_099_511_627_776), ("B/s", 1),
                    ]) : nil)
    }

    /// Bytes from "64MiB", "12GB", "4096B".
    public static func bytes(_ text: String) -> Double? {
        number(
            text,
            units: [
                ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("TiB", 1_099_511_627_776),
                ("PiB", 1_125_899_906_842_624), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("PB", 1e15),
                ("B", 1),
            ])
    }

    /// Bytes, where the name says that bare numbers are bytes.
    public static func bytesOrCount(_ text: String) -> Double? { bytes(text) ?? plain(text) }

    /// A number in one of the units; longer ones come before those that they end with.
    private static func number(_ text: String, units: [(String, Double)]) -> Double? {
        let text = String(text.reversed().drop { $0 == " " }.reversed())
        for (unit, factor) in units where text.lowercased().hasSuffix(unit.lowercased()) {
            if let number = plain(String(text.dropLast(unit.count))) { return number * factor }
        }
        return nil
    }

    private static func plain(_ text: String) -> Double? {
        let digits = text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
        guard let value = Double(String(digits)), value.isFinite, value >= 0 else { return nil }
        return value
    }
}

extension Link {
    /// What stands for a bandwidth that is no limit.
    public static let unlimited = "unlimited"

    /// A link from "latency,bandwidth", such as "50us,1gbit".
    public init(text: String) throws {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            throw SimulationError(
                "expected latency,bandwidth such as 5us,25gbit (or 5us,\(Self.unlimited)), found '\(text.shown)'")
        }
        guard let latency = Quantity.seconds(parts[0]), (latency * 1e3) <= Bounds.milliseconds.upperBound else {
            throw SimulationError(
                "expected latency,bandwidth such as 5us,25gbit, with a latency in ns, us, ms or s, found "
                    + "'\(parts[0].shown)' for it")
        }
        if parts[1].lowercased() == Self.unlimited {
            self.init(latency: latency)
            return
        }
        guard let bandwidth = Quantity.bandwidth(parts[1]), (1...Bounds.bandwidth).contains(bandwidth) else {
            throw SimulationError(
                "expected latency,bandwidth such as 5us,25gbit, with a bandwidth in mbit, gbit (bits a second), MB/s "
                    + "or GB/s, found '\(parts[1].shown)' for it")
        }
        self.init(latency: latency, bandwidth: bandwidth)
    }

    /// The text that reads back to the same link, to five digits.
    public var text: String {
        let latency = String(format: "%.5gus", latency * 1e6)
        return latency + "," + (bandwidth.isFinite ? String(format: "%.5gGB/s", bandwidth / 1e9) : Self.unlimited)
    }
}

/// A cap on what each rank holds, from the command line: "12" units, "2x" the peak of 1F1B, or "4GiB" in bytes.
public enum MemoryCap: Sendable, Equatable {
    case units(Double)
    /// Multiples of what 1F1B holds on its first rank, the most of all.
    case peaks(Double)
    case bytes(Double)

    /// - Parameter text: units such as 4, multiples such as 1.5x, or bytes such as 8GiB
    /// - Throws: `SimulationError` that says what was expected
    public init(text: String) throws {
        if let units = Double(text), units > 0, units.isFinite {
            self = .units(units)
        } else if text.lowercased().hasSuffix("x"), let peaks = Double(text.dropLast()), peaks > 0, peaks.isFinite {
            self = .peaks(peaks)
        } else if let bytes = Quantity.bytes(text), bytes > 0 {
            self = .bytes(bytes)
        } else {
            throw SimulationError(
                """
                expected a cap in units such as 12, in multiples of what 1f1b holds such as 2x, or in bytes such \
                as 4GiB, found '\(text.shown)'
                """
            )
        }
    }

    /// The limit that the cap sets for `shape`.
    public func limit(shape: ScheduleShape, costs: Costs) throws -> MemoryLimit {
        switch self {
        case .units(let units): return MemoryLimit(shape: shape, costs: costs, units: units)
        case .peaks(let peaks):
            let peak = min(shape.slices + shape.ranks - 1, shape.units)
            return MemoryLimit(shape: shape, costs: costs, units: peaks * Double(peak))
        case .bytes(let bytes):
            guard costs.stages.allSatisfy({ $0.unitBytes > 0 }) else {
                throw SimulationError("a cap in bytes needs unit_bytes in the costs; give them or a cap in units")
            }
            let caps = (0..<shape.ranks).map { rank in
                bytes
                    - shape.stages(on: rank).reduce(0) { sum, stage in
                        // The search counts units: what sequences hold beside them counts as if all were under way.
                        let sequences = 2 * Double(shape.sequences) * Double(costs.stages[stage].sequenceBytes)
                        return sum + Double(costs.stages[stage].residentBytes) + sequences
                    }
            }
            if let rank = caps.firstIndex(where: { $0 <= 0 }) {
                throw SimulationError(
                    """
                    rank \(rank)'s parameters and optimizer state alone take more than \
                    \(Int(saturating: bytes).asBytes)
                    """
                )
            }
            return MemoryLimit(
                unit: costs.stages.map { Double(max($0.unitBytes, $0.weightUnitBytes)) },
                afterInput: costs.stages.map { Double($0.weightUnitBytes) }, caps: caps)
        }
    }
}
