import TestSupport
import Testing

/// Results of a component, by name.
typealias Results = [String: [Float]]

/// Compares outputs with the equation's, and gradients with central differences of sum(up . outputs) in every argument.
///
/// - Parameters:
///   - gradients: by the argument's name; arguments that aren't named are constants.
func expectAgreement(
    _ what: String, outputs: Results, gradients: Results, up: Results, at arguments: Arguments,
    tolerance: (output: Double, gradient: Double) = (Tolerance.output, Tolerance.gradient),
    _ equation: (Arguments) -> Arguments
) {
    let expected = equation(arguments)
    #expect(Set(outputs.keys) == Set(expected.keys), "\(what)")
    for (name, values) in outputs {
        let worst = deviation(doubles(values), from: expected[name] ?? [])
        #expect(worst <= tolerance.output, "\(what): \(name) deviates by \(worst)")
    }
    for (name, values) in gradients {
        let differences = centralDifferences(at: arguments[name] ?? []) { moved in
            var all = arguments
            all[name] = moved
            let result = equation(all)
            return up.reduce(0) { $0 + weighted($1.value, result[$1.key] ?? []) }
        }
        let worst = deviation(doubles(values), from: differences, floor: 0.1)
        #expect(worst <= tolerance.gradient, "\(what): the gradient of \(name) deviates by \(worst)")
    }
}

/// Sum of the outputs times their weights; an infinite one without weight (an empty memory's log-norm) adds nothing.
private func weighted(_ up: [Float], _ values: [Double]) -> Double {
    zip(up, values).reduce(0) { $1.0 == 0 ? $0 : $0 + Double($1.0) * $1.1 }
}
