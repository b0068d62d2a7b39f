use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rmcp::model::{EmptyResult, ServerJsonRpcMessage, ServerResult};
use rmcp::transport::Transport as _;

use super::super::transport::LineTransport;
use super::*;

#[tokio::test]
async fn two_thousand_pipelined_calls_take_effect_in_the_order_they_were_sent() {
    let mut client = Client::new().await;
    let mut input = client.input.take().unwrap();
    let writing = tokio::spawn(async move {
        for i in 0..2_000 {
            let params = add(&i.to_string());
            let call = json!({"jsonrpc": "2.0", "id": i, "method": "tools/call", "params": params});
            input.write_all(format!("{call}\n").as_bytes()).await.unwrap();
        }
    });
    let mut ids = Vec::new();
    for _ in 0..2_000 {
        let reply = client.reply().await;
        assert_eq!(reply["result"]["isError"], false);
        ids.push(reply["id"].as_u64().unwrap());
    }
    writing.await.unwrap();
    assert!(ids.into_iter().eq(0..2_000));
    let expected: Vec<String> = (0..2_000).map(|i: u32| i.to_string()).collect();
    assert_eq!(client.ended().await.inputs(), expected);
}

#[tokio::test]
async fn ping_and_listings_are_answered_while_the_engine_is_busy() {
    let mut client = Client::new().await;
    client.fake.hold();
    client.request(1, "tools/call", add("slow")).await;
    client.request(2, "ping", json!({})).await;
    assert_eq!(client.reply().await["id"], 2);
    client.request(3, "tools/list", json!({})).await;
    assert_eq!(client.reply().await["id"], 3);
    client.fake.release();
    assert_eq!(client.reply().await["id"], 1);
    client.ended().await;
}

#[tokio::test(start_paused = true)]
async fn everything_sent_before_the_end_of_input_is_carried_out_and_answered() {
    for n_calls in [20, 200] {
        let mut client = Client::new().await;
        client.fake.hold();
        for i in 0..n_calls {
            client.request(i, "tools/call", add(&i.to_string())).await;
        }
        client.end_input();
        // The clock is the test's own: an hour passes at once, and with it every time limit.
        tokio::time::sleep(Duration::from_hours(1)).await;
        client.fake.release();
        for _ in 0..n_calls {
            assert_eq!(client.reply().await["result"]["isError"], false);
        }
        assert_eq!(client.reply().await, Value::Null);
        let fake = client.ended().await;
        assert_eq!(fake.inputs().len(), n_calls);
        assert!(fake.closed.load(Ordering::SeqCst));
    }
}

#[tokio::test]
async fn the_last_line_is_taken_without_a_newline() {
    let mut client = Client::new().await;
    let ping = r#"{"jsonrpc":"2.0","id":"last","method":"ping"}"#;
    client.input.as_mut().unwrap().write_all(ping.as_bytes()).await.unwrap();
    client.end_input();
    assert_eq!(client.reply().await["id"], "last");
    client.ended().await;
}

#[tokio::test]
async fn input_that_ends_before_the_introduction_is_no_error() {
    let fake = Client::start().ended().await;
    assert!(fake.closed.load(Ordering::SeqCst));
    let mut client = Client::start();
    client.send("not json").await;
    client.end_input();
    assert_eq!(client.reply().await["error"]["code"], -32700);
    client.ended().await;
}

#[tokio::test]
async fn a_request_to_stop_answers_open_calls_and_closes_the_engine() {
    let mut client = Client::new().await;
    client.fake.hold();
    client.request(1, "tools/call", add("open")).await;
    client.request(2, "ping", json!({})).await;
    assert_eq!(client.reply().await["id"], 2);
    client.stop.take().unwrap().send(()).unwrap();
    let reply = client.reply().await;
    assert_eq!((&reply["id"], &reply["result"]["isError"]), (&json!(1), &json!(true)));
    let text = reply["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("the server is stopping"), "{text}");
    assert_eq!(client.reply().await, Value::Null);
    client.server.await.unwrap().unwrap();
    assert!(client.fake.closed.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_client_that_stops_reading_ends_the_server_quietly() {
    let mut client = Client::new().await;
    let (_, gone) = tokio::io::duplex(1);
    client.output = BufReader::new(gone);
    client.request(1, "tools/call", add("kept")).await;
    let input = client.input.take();
    client.server.await.unwrap().unwrap();
    drop(input);
    assert_eq!(client.fake.inputs(), ["kept"]);
    assert!(client.fake.closed.load(Ordering::SeqCst));
}

#[tokio::test]
async fn requests_with_the_same_id_are_each_answered() {
    let mut client = Client::new().await;
    client.fake.hold();
    for id in [json!(7), json!(7), json!("7"), json!(1.5), json!(18_446_744_073_709_551_615_u64)] {
        client.request(id, "tools/call", add("twin")).await;
    }
    client.fake.release();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(client.reply().await["id"].to_string());
    }
    assert_eq!(ids, ["7", "7", "\"7\"", "1.5", "18446744073709551615"]);
    client.ended().await;
}

#[tokio::test]
async fn a_reply_waits_for_those_to_earlier_calls_but_not_a_ping_or_a_fault() {
    let mut client = Client::new().await;
    client.fake.hold();
    client.request(1, "tools/call", add("held")).await;
    client.request(2, "tools/call", json!({"name": "add_memory", "arguments": {}})).await;
    client.request(3, "tools/call", json!({"name": "no_tool"})).await;
    client.request(4, "ping", json!({})).await;
    client.send("no JSON").await;
    // Nothing else is there until the first call is carried out.
    let free = [client.reply().await, client.reply().await];
    let ids = free.map(|reply| reply["id"].clone());
    assert!(ids.contains(&json!(4)) && ids.contains(&Value::Null), "{ids:?}");
    client.fake.release();
    for id in 1..=3 {
        assert_eq!(client.reply().await["id"], id);
    }
    client.ended().await;
}

#[tokio::test]
async fn a_cancelled_request_is_answered_all_the_same() {
    let mut client = Client::new().await;
    client.fake.hold();
    client.request(1, "tools/call", add("a")).await;
    client
        .send(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#)
        .await;
    client.fake.release();
    assert_eq!(client.reply().await["id"], 1);
    client.ended().await;
}

#[tokio::test]
async fn reading_pauses_while_sixty_four_requests_are_open() {
    let ping = |i: usize| format!("{{\"jsonrpc\":\"2.0\",\"id\":{i},\"method\":\"ping\"}}");
    let lines = (0..65).map(ping).collect::<Vec<_>>().join("\n");
    let (output, mut replies) = tokio::io::duplex(4096);
    let (mut transport, _stopper) =
        LineTransport::new(std::io::Cursor::new(lines.into_bytes()), output);
    let mut ids = Vec::new();
    for _ in 0..64 {
        match transport.receive().await.unwrap() {
            rmcp::model::ClientJsonRpcMessage::Request(request) => ids.push(request.id),
            other => panic!("{other:?}"),
        }
    }
    {
        let mut next = Box::pin(transport.receive());
        let mut cx = Context::from_waker(Waker::noop());
        assert!(matches!(next.as_mut().poll(&mut cx), Poll::Pending));
    }
    let result = ServerResult::EmptyResult(EmptyResult {});
    let reply = ServerJsonRpcMessage::response(result, ids[0].clone());
    transport.send(reply).await.unwrap();
    assert!(transport.receive().await.is_some());
    let mut line = String::new();
    BufReader::new(&mut replies).read_line(&mut line).await.unwrap();
    assert_eq!(line, "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{}}\n");
}
