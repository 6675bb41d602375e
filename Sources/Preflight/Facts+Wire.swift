import MPI

extension NodeFacts: WireValue {
    package func write(to writer: inout WireWriter) {
        rank.write(to: &writer)
        node.write(to: &writer)
        processor.write(to: &writer)
        cpuLevel.write(to: &writer)
        nodeCores.write(to: &writer)
        memory.write(to: &writer)
        freeMemory.write(to: &writer)
        cores.write(to: &writer)
        memoryBandwidth.write(to: &writer)
        throttled.write(to: &writer)
        clockOffset.write(to: &writer)
        clockError.write(to: &writer)
        bits.write(to: &writer)
        witnessProblem.write(to: &writer)
        goldenCases.write(to: &writer)
        goldenFailures.write(to: &writer)
        quotaCores.write(to: &writer)
        quotaFile.write(to: &writer)
        folderProblem.write(to: &writer)
    }

    package init(from reader: inout WireReader) throws {
        rank = try reader.next()
        node = try reader.next()
        processor = try reader.next()
        cpuLevel = try reader.next()
        nodeCores = try reader.next()
        memory = try reader.next()
        freeMemory = try reader.next()
        cores = try reader.next()
        memoryBandwidth = try reader.next()
        throttled = try reader.next()
        clockOffset = try reader.next()
        clockError = try reader.next()
        bits = try reader.next()
        witnessProblem = try reader.next()
        goldenCases = try reader.next()
        goldenFailures = try reader.next()
        quotaCores = try reader.next()
        quotaFile = try reader.next()
        folderProblem = try reader.next()
    }
}

extension NodeFacts.Core: WireValue {
    package func write(to writer: inout WireWriter) {
        number.write(to: &writer)
        gflops.write(to: &writer)
        taken.write(to: &writer)
        deviation.write(to: &writer)
        productBits.write(to: &writer)
    }

    package init(from reader: inout WireReader) throws {
        number = try reader.next()
        gflops = try reader.next()
        taken = try reader.next()
        deviation = try reader.next()
        productBits = try reader.next()
    }
}

extension LinkFacts: WireValue {
    package func write(to writer: inout WireWriter) {
        from.write(to: &writer)
        to.write(to: &writer)
        latency.write(to: &writer)
        bandwidth.write(to: &writer)
    }

    package init(from reader: inout WireReader) throws {
        self.init(
            from: try reader.next(), to: try reader.next(), latency: try reader.next(), bandwidth: try reader.next())
    }
}
