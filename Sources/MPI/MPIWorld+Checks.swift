import CMPI

extension MPIWorld {
    func check(_ code: Int32, _ call: String, peer: Int? = nil, tag: Int? = nil) throws {
        if code != MPI_SUCCESS { throw error(code, call, peer: peer, tag: tag) }
    }

    static func check(_ code: Int32, _ call: String) throws {
        if code != MPI_SUCCESS { throw error(code, call, rank: nil, peer: nil, tag: nil) }
    }

    func error(_ code: Int32, _ call: String, peer: Int?, tag: Int?) -> MPIError {
        MPIWorld.error(code, call, rank: rank, peer: peer, tag: tag)
    }

    private static func error(_ code: Int32, _ call: String, rank: Int?, peer: Int?, tag: Int?) -> MPIError {
        let text = try? text("MPI_Error_string", capacity: Int(MPI_MAX_ERROR_STRING)) { MPI_Error_string(code, $0, $1) }
        return .failed(call: call, rank: rank, peer: peer, tag: tag, text: text ?? "error \(code)")
    }

    /// The text that a call writes into memory it is given.
    static func text(
        _ call: String, capacity: Int, _ write: (UnsafeMutablePointer<CChar>, UnsafeMutablePointer<Int32>) -> Int32
    ) throws -> String {
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity + 1) { memory in
            memory.initialize(repeating: 0)
            var length: Int32 = 0
            let base = memory.baseAddress!  // the capacity is positive
            let code = write(base, &length)
            guard code == MPI_SUCCESS else {
                throw MPIError.failed(call: call, rank: nil, peer: nil, tag: nil, text: "error \(code)")
            }
            return String(cString: base)
        }
    }

    static func make(_ call: String, _ create: (UnsafeMutablePointer<cmpi_comm>) -> Int32) throws -> cmpi_comm {
        var communicator = cmpi_comm()
        try check(create(&communicator), call)
        return communicator
    }
}
