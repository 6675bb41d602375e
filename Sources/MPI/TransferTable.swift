import CMPI

/// The transfers under way at a rank. Places are used again, so that after the first steps nothing is allocated.
struct TransferTable {
    struct Entry {
        var request = cmpi_request_null()
        var isReceive = false
        var peer = 0
        var tag = 0
        var bytes = 0
        /// How often the place was used before.
        var use = 0
        /// The place of the message's next piece.
        var next: Int?
        /// The first piece that is not complete, for the head of a message.
        var pending: Int?
    }

    private(set) var active = 0
    private var entries: [Entry] = []
    private var free: [Int] = []

    subscript(place: Int) -> Entry {
        _read { yield entries[place] }
        _modify { yield &entries[place] }
    }

    /// Makes places until there are as many as asked for.
    mutating func reserve(_ count: Int) {
        while entries.count < count { free.append(newPlace()) }
    }

    private mutating func newPlace() -> Int {
        entries.append(Entry())
        free.reserveCapacity(entries.count)
        return entries.count - 1
    }

    mutating func take() -> Int {
        active += 1
        return free.popLast() ?? newPlace()
    }

    /// Gives back a message's places, those of its pieces included.
    mutating func giveBack(_ head: Int) {
        var place: Int? = head
        while let current = place {
            place = entries[current].next
            entries[current] = Entry(use: entries[current].use + 1)
            free.append(current)
            active -= 1
        }
    }
}
