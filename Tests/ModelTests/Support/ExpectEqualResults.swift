import TestSupport
import Testing

/// Two ways of running a model agree as far as float32 can.
func expectAgreement(_ found: ModelResult, _ expected: ModelResult, _ what: String) {
    #expect(abs(found.loss / expected.loss - 1) < 1e-6, "\(what): loss \(found.loss), not \(expected.loss)")
    func check(_ name: String, _ found: [Float], _ expected: [Float], _ tolerance: Double) {
        let worst = deviation(doubles(found), from: doubles(expected))
        #expect(worst <= tolerance, "\(what): \(name) deviates by \(worst)")
    }
    check("logits", found.logits, expected.logits, 1e-5)
    #expect(found.gradients.keys == expected.gradients.keys && found.state.keys == expected.state.keys)
    for (name, values) in expected.gradients {
        check("the gradient of \(name)", found.gradients[name] ?? [], values, 4e-5)
    }
    for (name, values) in expected.state { check(name, found.state[name] ?? [], values, 1e-5) }
}

/// Every bit of both is the same.
func expectSameBits(_ found: ModelResult, _ expected: ModelResult, _ what: String) {
    #expect(found.loss.bitPattern == expected.loss.bitPattern, "\(what)")
    #expect(found.logits.map(\.bitPattern) == expected.logits.map(\.bitPattern), "\(what)")
    #expect(found.gradients.mapValues { $0.map(\.bitPattern) } == expected.gradients.mapValues { $0.map(\.bitPattern) })
    #expect(found.state.mapValues { $0.map(\.bitPattern) } == expected.state.mapValues { $0.map(\.bitPattern) })
}
