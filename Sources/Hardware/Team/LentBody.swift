/// A closure on loan to other threads, for as long as its owner waits for them: its code and its captures, which stay
/// where they are.
///
/// Swift lends a closure only after moving it to the heap (`withoutActuallyEscaping`), twice for every kernel of every
/// worker. This rests on what Swift's ABI fixes: a closure that doesn't escape is passed as two addresses, that of its
/// code and that of its captures.
///
/// **Why that has no races.** The two addresses are a value that never changes. The owner writes it for the others
/// before it opens a round, they read it only after taking one of the round's shares, and the captures live until all
/// shares are done and the owner has seen that; `WorkerPool` says by which releases and acquires. What the code itself
/// writes, each share has for itself.
struct LentBody {
    private let code: UnsafeRawPointer
    private let captures: UnsafeRawPointer?

    private init(code: UnsafeRawPointer, captures: UnsafeRawPointer?) {
        self.code = code
        self.captures = captures
    }

    /// - Parameter body: must not be called through this after its owner's call has returned
    init(_ body: (Int) -> Void) {
        let taken = unsafeBitCast(TakesWords { LentBody(code: $0, captures: $1) }, to: TakesBody.self)
        self = taken.function(body)
    }

    func callAsFunction(_ worker: Int) {
        unsafeBitCast(CallsBody { $0($1) }, to: CallsWords.self).function(code, captures, worker)
    }

    // Functions within structs, because only there nothing is put between their two views.
    private struct TakesWords { let function: (UnsafeRawPointer, UnsafeRawPointer?) -> LentBody }
    private struct TakesBody { let function: ((Int) -> Void) -> LentBody }
    private struct CallsBody { let function: ((Int) -> Void, Int) -> Void }
    private struct CallsWords { let function: (UnsafeRawPointer, UnsafeRawPointer?, Int) -> Void }
}
