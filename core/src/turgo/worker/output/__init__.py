"""What calls log and print, and how it comes to the driver."""
