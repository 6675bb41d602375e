/// What the blocks of a rank share of the slice that they work on: where it lies, and what the architecture derives
/// from its tokens and from where its stream stands (positions, documents, tables). Confined to the rank's thread.
package protocol SharedSlice: AnyObject {
    /// Absolute position of the first token.
    var start: Int { get }
    var length: Int { get }
    /// Where the stream stands after the slice. Who keeps a copy that shares its memory makes the next move take new
    /// memory; `StreamCursor.become` copies without sharing.
    var exit: StreamCursor { get }

    /// On to another slice, in the memory of the one before: the same as a new one.
    ///
    /// - Parameter tokens: the slice's
    func move(to cursor: StreamCursor, length: Int, tokens: UnsafePointer<Int32>)
}
