import Hardware
import MPI

extension CPUQuota: WireValue {
    package func write(to writer: inout WireWriter) {
        cores.write(to: &writer)
        file.write(to: &writer)
        group.write(to: &writer)
    }

    package init(from reader: inout WireReader) throws {
        self.init(cores: try reader.next(), file: try reader.next(), group: try reader.next())
    }
}
