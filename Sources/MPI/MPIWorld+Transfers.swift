import CMPI

// Messages between two ranks.
extension MPIWorld {
    /// A message under way, good until `isComplete` has said true or thrown.
    package struct Transfer: Hashable, Sendable {
        package let slot: Int
        /// How often the slot was used before, to tell a stale transfer.
        package let use: Int

        package init(slot: Int, use: Int) {
            self.slot = slot
            self.use = use
        }
    }

    /// Messages of different channels never meet, whatever their tags.
    package enum Channel: Sendable {
        /// The run's own.
        case data
        /// Rare ones, on the state of the run.
        case control
    }

    /// Makes room for so many transfers under way at the same time; more may be.
    package func reserve(transfers count: Int) { transfers.reserve(count) }

    /// `memory` stays untouched until the transfer is complete; the message must be exactly as long.
    package func startReceive(
        into memory: UnsafeMutableRawBufferPointer, from source: Int, tag: Int, on channel: Channel = .data
    ) throws -> Transfer {
        let communicator = communicator(channel)
        return try startPieces(memory.count, isReceive: true, peer: source, tag: tag) { range, request in
            cmpi_receive(
                memory.baseAddress.map { $0 + range.lowerBound }, Int32(range.count), Int32(source), Int32(tag),
                communicator, request)
        }
    }

    /// `bytes` stay unchanged until the transfer is complete.
    package func startSend(
        _ bytes: UnsafeRawBufferPointer, to destination: Int, tag: Int, on channel: Channel = .data
    ) throws -> Transfer {
        let communicator = communicator(channel)
        return try startPieces(bytes.count, isReceive: false, peer: destination, tag: tag) { range, request in
            cmpi_send(
                bytes.baseAddress.map { $0 + range.lowerBound }, Int32(range.count), Int32(destination), Int32(tag),
                communicator, request)
        }
    }

    /// Whether all of the message has arrived or left. True ends the transfer, and so does an error.
    package func isComplete(_ transfer: Transfer) throws -> Bool {
        checkThread()
        precondition(transfers[transfer.slot].use == transfer.use, "rank \(rank): this transfer was completed before")
        while let piece = transfers[transfer.slot].pending {
            guard try isPieceComplete(piece, of: transfer) else { return false }
            transfers[transfer.slot].pending = transfers[piece].next
        }
        transfers.giveBack(transfer.slot)
        return true
    }

    /// Where a transfer goes, for messages to the user.
    package func description(
        of transfer: Transfer
    ) -> (isReceive: Bool, peer: Int, tag: Int) {
        let entry = transfers[transfer.slot]
        return (entry.isReceive, entry.peer, entry.tag)
    }

    /// A message that no receive has been started for. The look also lets MPI move whatever is under way; it does so
    /// for certain only where there is nothing to be found, so look for what is rare.
    func probe(_ channel: Channel) throws -> (source: Int, tag: Int, bytes: Int)? {
        checkThread()
        var isThere: Int32 = 0
        var status = MPI_Status()
        try check(cmpi_probe(communicator(channel), &isThere, &status), "MPI_Iprobe")
        if isThere == 0 { return nil }
        var count: Int32 = 0
        try check(MPI_Get_count(&status, cmpi_byte(), &count), "MPI_Get_count")
        return (Int(status.MPI_SOURCE), Int(status.MPI_TAG), Int(count))
    }

    /// Transfers, or pieces of them, that are not complete.
    package var activeTransfers: Int { transfers.active }

    private func communicator(_ channel: Channel) -> cmpi_comm { channel == .data ? communicator : control }

    private func startPieces(
        _ bytes: Int, isReceive: Bool, peer: Int, tag: Int,
        _ start: (Range<Int>, UnsafeMutablePointer<cmpi_request>) -> Int32
    ) throws -> Transfer {
        checkThread()
        let head = transfers.take()
        var last = head
        var offset = 0
        repeat {
            let end = min(offset + largestPiece, bytes)
            let piece = offset == 0 ? head : transfers.take()
            if piece != last { transfers[last].next = piece }
            transfers[piece].isReceive = isReceive
            transfers[piece].peer = peer
            transfers[piece].tag = tag
            transfers[piece].bytes = end - offset
            let code = start(offset..<end, &transfers[piece].request)
            if code != MPI_SUCCESS {
                transfers.giveBack(head)
                throw error(code, isReceive ? "MPI_Irecv" : "MPI_Isend", peer: peer, tag: tag)
            }
            last = piece
            offset = end
        } while offset < bytes
        transfers[head].pending = head
        return Transfer(slot: head, use: transfers[head].use)
    }

    private func isPieceComplete(_ piece: Int, of transfer: Transfer) throws -> Bool {
        var isDone: Int32 = 0
        var status = MPI_Status()
        let code = cmpi_test(&transfers[piece].request, &isDone, &status)
        let entry = transfers[piece]
        guard code == MPI_SUCCESS else {
            transfers.giveBack(transfer.slot)
            throw failure(code, of: entry)
        }
        if isDone == 0 { return false }
        guard entry.isReceive else { return true }
        var count: Int32 = 0
        try check(MPI_Get_count(&status, cmpi_byte(), &count), "MPI_Get_count")
        if Int(count) != entry.bytes {
            transfers.giveBack(transfer.slot)
            throw MPIError.wrongSize(
                rank: rank, from: entry.peer, tag: entry.tag, expected: entry.bytes, found: Int(count))
        }
        return true
    }

    private func failure(_ code: Int32, of entry: TransferTable.Entry) -> MPIError {
        var errorClass: Int32 = 0
        MPI_Error_class(code, &errorClass)
        if errorClass == MPI_ERR_TRUNCATE {
            return .wrongSize(rank: rank, from: entry.peer, tag: entry.tag, expected: entry.bytes, found: nil)
        }
        return error(code, entry.isReceive ? "a receive" : "a send", peer: entry.peer, tag: entry.tag)
    }
}
