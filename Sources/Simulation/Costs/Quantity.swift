import Schedules

/// Numbers with units, as one writes them on a command line.
package enum Quantity {
    /// Seconds from "50us", "0.1ms", "2s"; a bare number is milliseconds.
    package static func seconds(_ text: String) -> Double? {
        number(text, units: [("us", 1e-6), ("\u{b5}s", 1e-6), ("ms", 1e-3), ("s", 1)], bare: 1e-3)
    }

    /// Bytes per second from "1gbit", "1.25GB/s", "400MiB/s"; a bare number is bytes per second.
    package static func bandwidth(_ text: String) -> Double? {
        number(
            text,
            units: [
                ("kbit", 125), ("mbit", 125e3), ("gbit", 125e6), ("KB/s", 1e3), ("MB/s", 1e6), ("GB/s", 1e9),
                ("KiB/s", 1024), ("MiB/s", 1_048_576), ("GiB/s", 1_073_741_824), ("B/s", 1),
            ], bare: 1)
    }

    /// Bytes from "4096", "64MiB", "12GB".
    package static func bytes(_ text: String) -> Double? {
        number(
            text,
            units: [
                ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("TiB", 1_099_511_627_776), ("KB", 1e3),
                ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("B", 1),
            ], bare: 1)
    }

    private static func number(_ text: String, units: [(String, Double)], bare: Double) -> Double? {
        for (unit, factor) in units where text.lowercased().hasSuffix(unit.lowercased()) {
            return plain(String(text.dropLast(unit.count))).map { $0 * factor }
        }
        return plain(text).map { $0 * bare }
    }

    private static func plain(_ text: String) -> Double? {
        guard let value = Double(text.filter { $0 != " " }), value.isFinite, value >= 0 else { return nil }
        return value
    }
}

extension Link {
    /// A link from "latency,bandwidth", such as "50us,1gbit"; the bandwidth may be left out.
    package init(text: String) throws {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(parts.count), let latency = Quantity.seconds(parts[0]) else {
            throw SimulationError("expected a link as latency,bandwidth such as 50us,1gbit, found '\(text)'")
        }
        guard parts.count == 2 else {
            self.init(latency: latency)
            return
        }
        guard let bandwidth = Quantity.bandwidth(parts[1]), bandwidth > 0 else {
            throw SimulationError("expected a bandwidth such as 1gbit or 1.25GB/s, found '\(parts[1])'")
        }
        self.init(latency: latency, bandwidth: bandwidth)
    }
}

/// A cap on what each rank holds, from the command line: "12" units, "2x" the peak of 1F1B, or "4GiB" in bytes.
package enum MemoryCap: Sendable, Equatable {
    case units(Double)
    /// Multiples of what 1F1B holds on its first rank, the most of all.
    case peaks(Double)
    case bytes(Double)

    package init(text: String) throws {
        if let units = Double(text), units > 0, units.isFinite {
            self = .units(units)
        } else if text.lowercased().hasSuffix("x"), let peaks = Double(text.dropLast()), peaks > 0, peaks.isFinite {
            self = .peaks(peaks)
        } else if let bytes = Quantity.bytes(text), bytes > 0 {
            self = .bytes(bytes)
        } else {
            throw SimulationError(
                "expected a cap in units such as 12, in multiples of what 1f1b holds such as 2x, or in bytes such as 4GiB, found '\(text)'"
            )
        }
    }

    /// The limit that the cap sets for `shape`.
    package func limit(shape: ScheduleShape, costs: Costs) throws -> MemoryLimit {
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
                bytes - shape.stages(on: rank).reduce(0) { $0 + Double(costs.stages[$1].residentBytes) }
            }
            if let rank = caps.firstIndex(where: { $0 <= 0 }) {
                throw SimulationError(
                    "rank \(rank)'s parameters and optimizer state alone take more than \(Int(bytes).asBytes)")
            }
            return MemoryLimit(
                unit: costs.stages.map { Double(max($0.unitBytes, $0.weightUnitBytes)) },
                afterInput: costs.stages.map { Double($0.weightUnitBytes) }, caps: caps)
        }
    }
}
