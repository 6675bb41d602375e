import Model
import TestSupport
import Testing

/// Every single cut, and every token by itself, give what the whole row gives.
func expectEveryCutToAgree(_ model: some RunnableModel) {
    let whole = model.result([model.length])
    for end in 1..<model.length { expectAgreement(model.result([end, model.length]), whole, "cut at \(end)") }
    expectAgreement(model.result(Array(1...model.length)), whole, "token by token")
}

/// The same document after two different ones: what a model of 11 tokens, the first of which begins documents, says of
/// it is the same.
func expectDocumentsToBeApart(_ model: some RunnableModel) {
    let document: [Int32] = [0, 5, 3, 8, 2, 2, 9, 1, 4, 4, 7, 6]
    let others: [[Int32]] = [[0, 1, 2, 3, 4, 5, 6, 7, 8], [3, 3, 0, 10, 10, 0, 9, 9, 1]]
    let logits = others.map { other in
        let run = model.run(longest: 21)
        run.stage.beginStep()
        let all = run.forward(.init(run), tokens: other + document, targets: nil, lossScale: 0).logits
        return Array(all.suffix(document.count * model.configuration.vocabulary))
    }
    #expect(deviation(doubles(logits[0]), from: doubles(logits[1])) < 1e-6)
}
