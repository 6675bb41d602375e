/// Costs, a network or a request that a simulation cannot run on; the text says what was expected and found.
package struct SimulationError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
