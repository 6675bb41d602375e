import Glibc

/// Something that sets an end to the memory of this process, or of all processes of the node.
package struct MemoryLimit: Sendable, Equatable {
    package let bytes: Int
    /// Where the limit comes from, completing "a node that has 4 GiB for it".
    package let source: String
    /// Bytes that this process has taken of it already; nil: the limit is for all processes here together.
    package let taken: Int?

    package init(bytes: Int, source: String, taken: Int? = nil) {
        self.bytes = bytes
        self.source = source
        self.taken = taken
    }

    /// Of all processes on this node that share this one's fate: the node's memory, control groups'.
    package static func shared(_ groups: ControlGroups = .own, machine: Int = ProcessMemory.ofTheNode) -> [MemoryLimit]
    {
        let node = MemoryLimit(bytes: machine, source: "the node's memory")
        guard let group = groups.memory, group.value < Double(machine) else { return [node] }
        return [node, MemoryLimit(bytes: Int(group.value), source: group.file)]
    }

    /// Of this process alone: `ulimit`.
    package static var own: [MemoryLimit] {
        var limits: [MemoryLimit] = []
        if let bytes = ResourceLimits.addressSpace {
            limits.append(MemoryLimit(bytes: bytes, source: "ulimit -v (RLIMIT_AS)", taken: ProcessMemory.addresses))
        }
        if let bytes = ResourceLimits.data {
            limits.append(
                MemoryLimit(bytes: bytes, source: "ulimit -d (RLIMIT_DATA)", taken: ProcessMemory.privateData))
        }
        return limits
    }

    package static var tightestShared: MemoryLimit {
        shared().min { $0.bytes < $1.bytes } ?? MemoryLimit(bytes: ProcessMemory.ofTheNode, source: "the node's memory")
    }
}
