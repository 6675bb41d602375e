import Hardware

extension TopologyReport {
    /// A few lines on a machine.
    static func text(of topology: Topology) -> String {
        let machine = topology.machine
        var lines: [[String]] = []
        var processor = machine.processor.isEmpty ? "" : "\(machine.processor), "
        processor += count(machine.sockets, "socket") + ", " + count(machine.cores, "core")
        processor += ", " + count(machine.units, "hardware thread")
        lines.append(["  processor", processor])
        for socket in Set(topology.cores.map(\.socket)).sorted() {
            let cores = topology.cores.filter { $0.socket == socket }
            for memory in Set(cores.map(\.numaNode)).sorted() {
                let near = cores.filter { $0.numaNode == memory }.map(\.index)
                lines.append(["  socket \(socket)", "memory node \(memory), cores \(CoreList(near))"])
            }
        }
        var memory = size(machine.memoryBytes)
        if machine.memory.count > 1 {
            memory += " (" + machine.memory.map { "node \($0.index): \(size($0.bytes))" }.joined(separator: ", ") + ")"
        }
        lines.append(["  memory", memory])
        if !machine.caches.isEmpty {
            let caches = machine.caches.map { "\($0.name) \($0.count) x \(size($0.bytes))" }
            lines.append(["  caches", caches.joined(separator: ", ")])
        }
        return Columns(lines, rightAligned: []).text
    }

    private static func count(_ number: Int, _ thing: String) -> String {
        number == 1 ? "1 \(thing)" : "\(number) \(thing)s"
    }

    /// Binary units, one decimal where it tells something.
    private static func size(_ bytes: Int) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 1024, unit + 1 < units.count {
            value /= 1024
            unit += 1
        }
        let rounded = (value * 10).rounded() / 10
        let number = rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
        return "\(number) \(units[unit])"
    }
}
