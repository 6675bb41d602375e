/// What the batch system, or what it is asked, makes impossible.
package struct BatchError: Error, CustomStringConvertible, Equatable {
    package let description: String
    package init(_ description: String) { self.description = description }
}
