import Hardware
import Testing

@Suite struct TopologyTests {
    @Test func theMachineHasCoresMemoryAndAUsableCore() throws {
        let topology = try Topology()
        #expect(topology.machine.cores == topology.cores.count)
        #expect(topology.machine.units >= topology.machine.cores)
        #expect(topology.machine.memoryBytes > 1 << 20)
        #expect(!topology.usableCores.isEmpty)
        #expect(topology.cores.enumerated().allSatisfy { $0.offset == $0.element.index })
        #expect(Set(topology.cores.flatMap(\.units)).count == topology.machine.units)
    }

    @Test func aPinnedThreadRunsOnItsCoreAndComesFreeAgain() throws {
        let topology = try Topology()
        try onNewThread {
            for core in topology.usableCores {
                try topology.pin(toCore: core)
                #expect(topology.boundCores() == [core])
                #expect(topology.currentCore() == core)
                try topology.pin(toCore: core, wholeCore: true)
                #expect(topology.boundCores() == [core])
            }
            try topology.unpin()
            #expect(topology.boundCores() == topology.usableCores)
        }
    }

    @Test func aCoreThatIsNotThereIsRefused() throws {
        let topology = try Topology()
        let missing = topology.cores.count
        #expect(throws: HardwareError.unknownCore(missing, usable: topology.usableCores)) {
            try topology.pin(toCore: missing)
        }
    }
}
