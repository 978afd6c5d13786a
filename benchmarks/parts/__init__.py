"""What `make bench` measures, part by part; each yields runs as they are made, contenders taking turns."""
