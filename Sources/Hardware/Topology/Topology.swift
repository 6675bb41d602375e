import CHwloc
import Glibc

/// The machine as hwloc sees it, and the cores of it that this process may use.
///
/// Cores are numbered by hwloc's logical index over the whole node, disallowed cores included, so that every process of
/// a node gives a core the same number whatever its own limits are.
///
/// Load it before any thread is pinned: the process's binding, as the launcher set it, is read once here.
/// `@unchecked Sendable`: nothing changes the hwloc topology or the bitmap between `init` and `deinit`, and hwloc
/// allows concurrent reads of a loaded topology.
package final class Topology: @unchecked Sendable {
    let handle: hwloc_topology_t
    /// Processing units that both the system (cgroup, CPU set) and the launcher's binding leave to this process.
    let usableUnits: hwloc_bitmap_t
    /// Where the platform describes no cores, every processing unit counts as one.
    let coreType: hwloc_obj_type_t

    /// Every core of the node, by number.
    package let cores: [Core]
    /// Numbers of the cores this process may use, ascending, never empty.
    package let usableCores: [Int]
    package let machine: MachineSummary

    package init() throws {
        handle = try Topology.load()
        coreType = hwloc_get_nbobjs_by_type(handle, HWLOC_OBJ_CORE) > 0 ? HWLOC_OBJ_CORE : HWLOC_OBJ_PU
        usableUnits = Topology.usableUnits(of: handle)
        let found = Topology.cores(of: handle, type: coreType, usable: usableUnits)
        cores = found
        usableCores = found.indices.filter { found[$0].isUsable }
        machine = Topology.summary(of: handle, cores: found)
        if usableCores.isEmpty { throw HardwareError.noUsableCore(rank: nil) }
    }

    deinit {
        hwloc_bitmap_free(usableUnits)
        hwloc_topology_destroy(handle)
    }

    private static func load() throws -> hwloc_topology_t {
        var topology: hwloc_topology_t?
        guard hwloc_topology_init(&topology) == 0, let topology else {
            throw HardwareError.topologyUnreadable(reason: HardwareError.text(errno))
        }
        let flags = UInt(HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED.rawValue)
        guard hwloc_topology_set_flags(topology, flags) == 0, hwloc_topology_load(topology) == 0 else {
            let reason = HardwareError.text(errno)
            hwloc_topology_destroy(topology)
            throw HardwareError.topologyUnreadable(reason: reason)
        }
        return topology
    }

    private static func usableUnits(of topology: hwloc_topology_t) -> hwloc_bitmap_t {
        let set = hwloc_bitmap_alloc()!  // fails only without memory
        // Systems that cannot tell a process's binding do not bind either: then all allowed units are usable.
        if hwloc_get_cpubind(topology, set, Int32(HWLOC_CPUBIND_PROCESS.rawValue)) != 0 { hwloc_bitmap_fill(set) }
        hwloc_bitmap_and(set, set, hwloc_topology_get_allowed_cpuset(topology))
        return set
    }

    private static func cores(
        of topology: hwloc_topology_t, type: hwloc_obj_type_t, usable: hwloc_bitmap_t
    ) -> [Core] {
        let count = Int(max(0, hwloc_get_nbobjs_by_type(topology, type)))
        return (0..<count).map { index in
            let object = hwloc_get_obj_by_type(topology, type, UInt32(index))!  // index is below the count
            let socket = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_PACKAGE, object)
            let node = object.pointee.nodeset.map { hwloc_bitmap_first($0) } ?? -1
            return Core(
                index: index, socket: socket.map { Int($0.pointee.logical_index) } ?? 0, numaNode: max(0, Int(node)),
                units: units(in: object.pointee.cpuset),
                isUsable: hwloc_bitmap_intersects(object.pointee.cpuset, usable) != 0)
        }
    }

    static func units(in set: hwloc_const_bitmap_t?) -> [Int] {
        guard let set else { return [] }
        var units: [Int] = []
        var unit = hwloc_bitmap_first(set)
        while unit >= 0 {
            units.append(Int(unit))
            unit = hwloc_bitmap_next(set, unit)
        }
        return units
    }
}

extension Topology {
    /// A core of the node.
    package struct Core: Sendable, Equatable {
        /// hwloc's logical index.
        package let index: Int
        /// The processor package it belongs to.
        package let socket: Int
        /// The memory node nearest to it, by the system's number.
        package let numaNode: Int
        /// Its hardware threads, by the system's numbers.
        package let units: [Int]
        /// Whether this process may run on at least one of them.
        package let isUsable: Bool
    }
}
