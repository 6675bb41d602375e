import CHwloc
import Glibc
import Glibc

extension Topology {
    private static let thread = Int32(HWLOC_CPUBIND_THREAD.rawValue)

    /// Binds the calling thread to `core`: to one hardware thread of it, or to all of them that the process may use
    /// when `wholeCore` is set, which leaves the system room to place threads that share the core.
    package func pin(toCore core: Int, wholeCore: Bool = false) throws {
        try pin(pthread_self(), toCore: core, wholeCore: wholeCore)
    }

    /// The same for any thread of this process. One that computes goes on there at once.
    func pin(_ handle: pthread_t, toCore core: Int, wholeCore: Bool) throws {
        guard cores.indices.contains(core), cores[core].isUsable else {
            throw HardwareError.unknownCore(core, usable: usableCores)
        }
        let set = usableUnits(ofCore: core)
        defer { hwloc_bitmap_free(set) }
        if !wholeCore { hwloc_bitmap_singlify(set) }
        guard hwloc_set_thread_cpubind(self.handle, handle, set, Topology.thread) == 0 else {
            throw HardwareError.bindingRefused(core: core, reason: HardwareError.text(errno))
        }
    }

    /// Hardware threads of a core, whether the process may use them or not; 0 for one that isn't there.
    package func unitCount(ofCore core: Int) -> Int { cores.indices.contains(core) ? cores[core].units.count : 0 }

    /// Hardware threads of a core that the process may use; 0 for one that isn't there.
    func usableUnitCount(ofCore core: Int) -> Int {
        guard cores.indices.contains(core) else { return 0 }
        let set = usableUnits(ofCore: core)
        defer { hwloc_bitmap_free(set) }
        return Int(hwloc_bitmap_weight(set))
    }

    /// To be freed.
    private func usableUnits(ofCore core: Int) -> hwloc_bitmap_t {
        let object = hwloc_get_obj_by_type(handle, coreType, UInt32(core))!  // callers have a core of `cores`
        let set = hwloc_bitmap_alloc()!  // fails only without memory
        hwloc_bitmap_and(set, object.pointee.cpuset, usableUnits)
        return set
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
