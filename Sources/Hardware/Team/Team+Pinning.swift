extension Team {
    /// The cores that each worker is bound to, as the system tells them; empty for a worker that was last seen
    /// elsewhere.
    package func boundCores(_ topology: Topology) -> [[Int]] {
        let found = UnsafeMutableBufferPointer<[Int]>.allocate(capacity: count)
        found.initialize(repeating: [])
        defer {
            found.deinitialize()
            found.deallocate()
        }
        run(inPlace: true) { worker in
            let bound = topology.boundCores()
            if let core = topology.currentCore(), !bound.contains(core) { return }
            found[worker] = bound
        }
        return Array(found)
    }
}
