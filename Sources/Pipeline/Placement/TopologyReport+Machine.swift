import Figures
import Hardware
import Numerics

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
            let nodes = Set(cores.map(\.numaNode))
            let memories = "memory node\(nodes.count == 1 ? "" : "s") \(CoreList(Array(nodes)))"
            lines.append(["  socket \(socket)", "cores \(CoreList(cores.map(\.index))), \(memories)"])
        }
        var memory = machine.memoryBytes.asShortBytes
        if machine.memory.count > 1 {
            let sizes = Set(machine.memory.map(\.bytes))
            let each =
                sizes.count == 1
                ? machine.memory.first.map { "\(machine.memory.count) nodes of \($0.bytes.asShortBytes)" } : nil
            memory +=
                " ("
                + (each ?? machine.memory.map { "node \($0.index): \($0.bytes.asShortBytes)" }.joined(separator: ", "))
                + ")"
        }
        lines.append(["  memory", memory])
        lines.append(["  huge pages", HugePages.summary])
        lines.append(["  products", MatrixEngine.summary])
        if !machine.caches.isEmpty {
            let caches = machine.caches.map { "\($0.name) \($0.count) x \($0.bytes.asShortBytes)" }
            lines.append(["  caches", caches.joined(separator: ", ")])
        }
        return Columns(lines, rightAligned: []).text
    }

    private static func count(_ number: Int, _ thing: String) -> String {
        number == 1 ? "1 \(thing)" : "\(number) \(thing)s"
    }
}
