/// Tells which tokens of a slice start a document: those that are the mark.
package struct DocumentMarks {
    private let tokens: UnsafePointer<Int32>
    private let mark: Int32

    /// - Parameter tokens: of the slice, from its first on; they stay in place while this is in use
    package init(_ tokens: UnsafePointer<Int32>, mark: Int32) {
        self.tokens = tokens
        self.mark = mark
    }

    /// Whether token `t` of the slice is a mark.
    @inline(__always)
    subscript(_ t: Int) -> Bool { tokens[t] == mark }
}
