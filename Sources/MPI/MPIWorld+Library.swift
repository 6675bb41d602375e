import CMPI

extension MPIWorld {
    /// The library that is loaded and its version: "Open MPI v4.1.4". MPI need not have started.
    package static var libraryVersion: String {
        var text = [CChar](repeating: 0, count: Int(MPI_MAX_LIBRARY_VERSION_STRING) + 1)
        var length: Int32 = 0
        guard MPI_Get_library_version(&text, &length) == MPI_SUCCESS else { return "an MPI without a name" }
        // A line or a page; the name comes first.
        let bytes = text.prefix { $0 != 0 && $0 != 10 && $0 != 44 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
