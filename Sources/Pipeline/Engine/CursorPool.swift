import Model

/// A stream's cursor in memory of its own, which serves one slice after another.
final class HeldCursor {
    var value: StreamCursor

    init() { value = StreamCursor(numbers: []) }
}

/// Cursors, made as needed (in the first step) and used again last in, first out.
final class CursorPool {
    private var free: [HeldCursor] = []

    /// A cursor of the given value, whose memory it doesn't share.
    func take(_ value: StreamCursor) -> HeldCursor {
        let cursor = free.popLast() ?? HeldCursor()
        cursor.value.become(value)
        return cursor
    }

    func giveBack(_ cursor: HeldCursor) { free.append(cursor) }
}
