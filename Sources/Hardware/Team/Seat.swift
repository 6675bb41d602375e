import Synchronization

/// What the threads of a pool know of one of them: the state of the shares that are its own. Seats lie two cache lines
/// apart, since processors fetch lines in pairs; mostly only the seat's own thread writes there.
struct Seat: ~Copyable {
    /// The shares are `first..<first + count` in the pool's order.
    let first: Int
    let count: Int
    /// How many of these shares were begun, and how many done, since the pool began: in round r from (r - 1) * count to
    /// r * count.
    let begun = Atomic<Int>(0)
    let done = Atomic<Int>(0)
    /// Whether the thread is computing shares, its own or others'.
    let isBusy = Atomic<Bool>(false)

    static let stride = 128
}

/// A round of a pool as the one word that opens it: its number, and whether its shares must stay with their own
/// threads.
struct Round {
    let word: Int

    static let none = Round(word: 0)

    init(word: Int) { self.word = word }
    init(_ number: Int, inPlace: Bool) { word = number &* 2 &+ (inPlace ? 1 : 0) }

    var number: Int { word >> 1 }
    var isInPlace: Bool { word & 1 != 0 }
}
