import Checkpoints
import Testing

@Suite struct FaultTests {
    @Test func `faults are read`() throws {
        let faults = try Fault.parse("part-half:50,manifest-begin:7:0,step:1:*:stop,part-begin:2:3:fail")
        #expect(faults.map(\.point) == [.partHalf, .manifestBegin, .step, .partBegin])
        #expect(faults.map(\.step) == [50, 7, 1, 2])
        #expect(faults.map(\.rank) == [nil, 0, nil, 3])
        #expect(faults.map(\.action) == [.kill, .kill, .stop, .fail])
    }

    @Test(arguments: [
        "", "part-half", "part-half:x", "part-half:-1", "nowhere:1", "step:1:x", "step:1:-2", "step:1:0:explode",
        "step:1:0:kill:more", "step:1,",
    ])
    func `what is no fault is refused`(text: String) {
        let error = #expect(throws: FaultError.self) { try Fault.parse(text) }
        #expect(error?.description.hasPrefix("GECKO_FAULT=") == true)
        if text == "nowhere:1" { #expect(error?.description.contains("cleanup-half") == true) }
    }
}
