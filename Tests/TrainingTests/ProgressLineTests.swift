import Testing
import Training

@Suite struct ProgressLineTests {
    /// What a progress line wrote; a class, because the line keeps the closure that fills it.
    private final class Output { var text = "" }

    private func line(_ output: Output, steps: Int, every: Int = 1, columns: Int?) -> ProgressLine {
        ProgressLine(steps: steps, every: every, columns: { columns }, write: { output.text += $0 })
    }

    @Test func `without a terminal there is a plain line every so many steps, the first and the last`() {
        let output = Output()
        var progress = line(output, steps: 10, every: 4, columns: nil)
        for step in 1...10 { progress.update(metrics(step: step), now: Double(step) * 2) }
        let lines = output.text.split(separator: "\n")
        #expect(lines.map { $0.prefix(5) } == [" 1/10", " 4/10", " 8/10", "10/10"])
        #expect(
            lines[1]
                == """
                 4/10  loss 2.0000  2.885 bits/byte  12.3k tok/s  norm 0.83  lr 1.8e-3  mfu 42%  idle 12%  0:12 left
                """
        )
        #expect(!output.text.contains("\r"))
    }

    @Test func `on a terminal one line is rewritten, not more often than the eye needs`() {
        let output = Output()
        var progress = line(output, steps: 100, every: 1000, columns: 200)
        for step in 1...100 { progress.update(metrics(step: step), now: Double(step) * 0.01) }
        let drawings = output.text.split(separator: "\r\u{1B}[K")
        #expect((10...12).contains(drawings.count))
        #expect(drawings.last?.hasPrefix("100/100") == true)
        #expect(output.text.filter { $0 == "\n" }.count == 2 && output.text.hasSuffix("\n"))
    }

    @Test func `on a terminal, too, a line stays every so many steps, and all that stays is recorded`() {
        let (output, log) = (Output(), Output())
        var progress = ProgressLine(
            steps: 40, every: 10, columns: { 60 }, write: { output.text += $0 }, record: { log.text += $0 + "\n" })
        for step in 1...40 {
            progress.update(metrics(step: step), now: Double(step) * 0.2)
            if step == 20 { progress.evaluated(metrics(step: step, heldOutLoss: 1.5)) }
        }
        let eval = "eval 20/40  held out 1.5000 nats  2.164 bits/byte"
        let kept = output.text.split(separator: "\n").map { $0.split(separator: "\r\u{1B}[K").last ?? "" }
        #expect(kept.map { $0.prefix(5) } == [" 1/40", "10/40", "20/40", eval.prefix(5), "30/40", "40/40"])
        #expect(kept[3] == eval)
        // In the log lines are whole, however narrow the terminal is.
        let lines = log.text.split(separator: "\n")
        #expect(lines.map { $0.prefix(5) } == kept.map { $0.prefix(5) })
        #expect(lines[1].contains("norm 0.83") && !kept[1].contains("norm"))
    }

    @Test func `a loss beyond all bounds is no row of digits`() {
        let output = Output()
        var progress = line(output, steps: 3, columns: nil)
        for (step, loss) in [(1, 723_718_604_684.0), (2, .infinity), (3, -.nan)] {
            progress.update(metrics(step: step, loss: loss), now: Double(step))
        }
        let lines = output.text.split(separator: "\n")
        #expect(lines[0].contains("loss 7.237e11 "), "\(output.text)")
        #expect(lines[1].contains("loss inf ") && lines[2].contains("loss nan "), "\(output.text)")
    }

    @Test func `a step without targets says so in the place of its loss`() {
        let output = Output()
        var progress = line(output, steps: 10, columns: nil)
        var void = metrics(step: 1, loss: .nan)
        void.hasTargets = false
        progress.update(void, now: 0)
        #expect(output.text.hasPrefix(" 1/10  no targets  no update  12.3k tok/s"), "\(output.text)")
    }

    @Test func `a message stands above the live line`() {
        let output = Output()
        var progress = line(output, steps: 100, every: 1000, columns: 200)
        progress.print("before")
        progress.update(metrics(step: 2), now: 0)
        progress.print("held-out 1.5")
        progress.update(metrics(step: 3), now: 0.001)
        progress.finish()
        #expect(output.text.hasPrefix("before\n\r\u{1B}[K  2/100"))
        #expect(output.text.contains("idle 12%\r\u{1B}[Kheld-out 1.5\n\r\u{1B}[K  3/100"))
        #expect(output.text.hasSuffix("left\n"))
    }

    @Test(arguments: [10, 24, 40, 60, 80, 100, 130])
    func `the line fits the terminal and keeps what matters`(columns: Int) {
        let output = Output()
        var progress = line(output, steps: 200, columns: columns)
        progress.update(metrics(step: 1), now: 0)
        progress.update(metrics(step: 2, gradientNorm: .nan, skipped: 1), now: 1)
        let drawn = output.text.split(separator: "\n").last ?? ""
        #expect(drawn.count < columns)
        #expect(drawn.hasPrefix("  2/200"))
        if columns >= 40 { #expect(drawn.contains("loss 2.0000") && drawn.contains("3:18 left")) }
        if columns >= 130 { #expect(drawn.contains("norm nan") && drawn.contains("skipped 1")) }
    }

    @Test(arguments: [
        (987.0, "987 tok/s"), (1.5, "1.5 tok/s"), (9_999.6, "10.0k tok/s"), (999_900, "1.00M tok/s"),
        (4_560_000, "4.56M tok/s"), (123_456, "123k tok/s"), (.nan, "nan tok/s"), (0, "0.0 tok/s"),
    ])
    func `rates have three digits`(rate: Double, expected: String) {
        let output = Output()
        var progress = line(output, steps: 1, columns: nil)
        var step = metrics(step: 1)
        step.tokensPerSecond = rate
        progress.update(step, now: 0)
        #expect(output.text.contains("  \(expected)  "), "\(output.text)")
    }

    @Test func `the time left follows the recent pace and shows hours`() {
        let output = Output()
        var progress = line(output, steps: 1000, columns: nil)
        for step in 1...100 { progress.update(metrics(step: step), now: Double(step)) }
        for step in 101...200 { progress.update(metrics(step: step), now: 100 + Double(step - 100) * 10) }
        #expect(output.text.split(separator: "\n").last?.hasSuffix("2:13:20 left") == true)
    }
}
