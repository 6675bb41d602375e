/// Transfers of numbered pieces that start and end in order, a limited number of them at the same time.
struct TransferWindow {
    private var transfers: [TransferID]
    /// Pieces whose transfer has started.
    private(set) var started = 0
    /// Pieces whose transfer is complete.
    private(set) var completed = 0

    init(width: Int) {
        transfers = Array(repeating: TransferID(slot: 0, use: 0), count: width)
    }

    mutating func reset() {
        started = 0
        completed = 0
    }

    /// Counts the transfers that have ended, then starts those of the next pieces below `limit` for which there is
    /// room.
    mutating func advance(to limit: Int, _ endpoint: any Endpoint, start: (Int) throws -> TransferID) throws {
        while completed < started, try endpoint.isComplete(transfers[completed % transfers.count]) { completed += 1 }
        while started < limit, started - completed < transfers.count {
            transfers[started % transfers.count] = try start(started)
            started += 1
        }
    }
}
