/// A corpus that cannot be read or is too short: which one, and what to change.
package struct CorpusError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
