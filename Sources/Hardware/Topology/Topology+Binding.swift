import CHwloc
import Glibc

extension Topology {
    private static let thread = Int32(HWLOC_CPUBIND_THREAD.rawValue)

    /// Binds the calling thread to `core`: to one hardware thread of it, or to all of them that the process may use when
    /// `wholeCore` is set, which leaves the system room to place threads that share the core.
    package func pin(toCore core: Int, wholeCore: Bool = false) throws {
        guard cores.indices.contains(core), cores[core].isUsable else {
            throw HardwareError.unknownCore(core, usable: usableCores)
        }
        let object = hwloc_get_obj_by_type(handle, coreType, UInt32(core))!  // the index was checked above
        let set = hwloc_bitmap_alloc()!  // fails only without memory
        defer { hwloc_bitmap_free(set) }
        hwloc_bitmap_and(set, object.pointee.cpuset, usableUnits)
        if !wholeCore { hwloc_bitmap_singlify(set) }
        guard hwloc_set_cpubind(handle, set, Topology.thread) == 0 else {
            throw HardwareError.bindingRefused(core: core, reason: HardwareError.text(errno))
        }
    }

    /// Lets the calling thread run on every core the process may use.
    package func unpin() throws {
        guard hwloc_set_cpubind(handle, usableUnits, Topology.thread) == 0 else {
            throw HardwareError.bindingRefused(core: usableCores[0], reason: HardwareError.text(errno))
        }
    }

    /// The cores that the calling thread is bound to; all usable cores when it is not bound.
    package func boundCores() -> [Int] {
        let set = hwloc_bitmap_alloc()!  // fails only without memory
        defer { hwloc_bitmap_free(set) }
        guard hwloc_get_cpubind(handle, set, Topology.thread) == 0 else { return usableCores }
        return cores(meeting: set)
    }

    /// The core on which the calling thread ran last, nil where the system does not tell.
    package func currentCore() -> Int? {
        let set = hwloc_bitmap_alloc()!  // fails only without memory
        defer { hwloc_bitmap_free(set) }
        guard hwloc_get_last_cpu_location(handle, set, Topology.thread) == 0 else { return nil }
        return cores(meeting: set).first
    }

    private func cores(meeting set: hwloc_bitmap_t) -> [Int] {
        cores.filter { core in core.units.contains { hwloc_bitmap_isset(set, UInt32($0)) != 0 } }.map(\.index)
    }
}
