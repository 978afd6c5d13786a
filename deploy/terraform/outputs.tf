output "senders_bus_arn" {
  description = "The hub_bus_arn of sender/, where senders were named."
  value       = lookup(aws_cloudformation_stack.feed.outputs, "SendersBusArn", null)
}

output "queue_url" {
  description = "Where events wait for Kafka."
  value       = aws_cloudformation_stack.feed.outputs["QueueUrl"]
}

output "dead_letters_url" {
  description = "Where events wait that were given up on."
  value       = aws_cloudformation_stack.feed.outputs["DeadLettersUrl"]
}
