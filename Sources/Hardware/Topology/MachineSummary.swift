import CHwloc
import Glibc

/// A node in figures.
package struct MachineSummary: Sendable, Equatable {
    package struct Cache: Sendable, Equatable {
        /// `L1d`, `L2`, `L3`, ...
        package let name: String
        package let bytes: Int
        /// How many of them the node has.
        package let count: Int
    }

    package struct MemoryNode: Sendable, Equatable {
        /// The system's number of the node.
        package let index: Int
        package let bytes: Int
    }

    /// The processor's name as it tells it, empty when it doesn't.
    package let processor: String
    package let sockets: Int
    package let cores: Int
    /// Hardware threads.
    package let units: Int
    /// All of the node's memory.
    package let memoryBytes: Int
    /// Memory per memory node; with memory added while the node runs, the system's own figures can be lower than the
    /// total.
    package let memory: [MemoryNode]
    package let caches: [Cache]
}

extension Topology {
    static func summary(of topology: hwloc_topology_t, cores: [Core]) -> MachineSummary {
        func count(_ type: hwloc_obj_type_t) -> Int { Int(max(0, hwloc_get_nbobjs_by_type(topology, type))) }
        func objects(_ type: hwloc_obj_type_t) -> [hwloc_obj_t] {
            (0..<count(type)).compactMap { hwloc_get_obj_by_type(topology, type, UInt32($0)) }
        }

        var caches: [MachineSummary.Cache] = []
        let kinds: [(String, hwloc_obj_type_t)] = [
            ("L1d", HWLOC_OBJ_L1CACHE), ("L2", HWLOC_OBJ_L2CACHE), ("L3", HWLOC_OBJ_L3CACHE), ("L4", HWLOC_OBJ_L4CACHE),
        ]
        for (name, type) in kinds {
            if let first = objects(type).first {
                let bytes = Int(first.pointee.attr.pointee.cache.size)
                caches.append(.init(name: name, bytes: bytes, count: count(type)))
            }
        }
        let memory = objects(HWLOC_OBJ_NUMANODE).map {
            MachineSummary.MemoryNode(
                index: Int($0.pointee.os_index), bytes: Int($0.pointee.attr.pointee.numanode.local_memory))
        }
        let named = objects(HWLOC_OBJ_PACKAGE).first ?? hwloc_get_root_obj(topology)
        let processor = named.flatMap { hwloc_obj_get_info_by_name($0, "CPUModel") }.map { String(cString: $0) }
        return MachineSummary(
            processor: processor ?? "", sockets: max(1, count(HWLOC_OBJ_PACKAGE)), cores: cores.count,
            units: count(HWLOC_OBJ_PU),
            memoryBytes: sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)), memory: memory, caches: caches)
    }
}
